"""The settings of a server: declared once, read from the command line and the environment."""

from seedbed_server.settings.declarations import SETTINGS, Setting, Settings

__all__ = ["SETTINGS", "Setting", "Settings"]
