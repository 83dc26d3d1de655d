"""Programs for those who work on seedbed."""
