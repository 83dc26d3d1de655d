"""How a server is, for people and programs: status, metrics and probes over HTTP."""
