"""What one process does for many calls: streams, the chunks they share, sampling threads, segments."""
