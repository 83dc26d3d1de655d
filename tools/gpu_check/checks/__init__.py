"""The checks: ``checks(rig)`` of each module returns them by name, in the list's order."""
