"""The checks, a module for each group: ``checks(rig)`` returns them by name, in the list's order."""
