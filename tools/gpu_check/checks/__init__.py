"""The checks, a module for each group; ``checks(rig)`` returns them by name, in the order of the list."""
