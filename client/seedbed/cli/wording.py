"""The SDK's advice in the words of the command line: arguments of ``connect`` are options here."""

OPTIONS = {
    "tls=True": "--tls",
    "tls=False": "--no-tls",
    "tls=sb.Tls(ca=...)": "--tls-ca FILE",
    "tls=sb.Tls(cert=..., key=...)": "--tls-cert FILE and --tls-key FILE",
    "tls=sb.Tls(server_name=...)": "--tls-server-name NAME",
    "with timeout_seconds": "with --timeout-seconds",
    "Client.wait_ready waits for that": "--patience-seconds says for how long that is tried",
}
"""What stands for each piece of the SDK's advice."""


def in_options(text: str) -> str:
    """Return an error's text, with options in place of the SDK's arguments.

    Example:
        >>> in_options("host:1 wants TLS: pass tls=True")
        'host:1 wants TLS: pass --tls'
    """
    for argument, option in OPTIONS.items():
        text = text.replace(argument, option)
    return text
