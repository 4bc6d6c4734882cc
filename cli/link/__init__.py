"""How the terminal UI reaches a node in another process: `grpc_link` talks to it, `keeper` keeps it running."""
