"""Who may connect to a server, and what they may do there; knows no gRPC."""
