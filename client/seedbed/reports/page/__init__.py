"""The page of a report: one file without anything from elsewhere."""
