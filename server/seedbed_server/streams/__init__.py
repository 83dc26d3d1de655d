"""The work of one process for many calls: streams, shared chunks, threads, segments."""
