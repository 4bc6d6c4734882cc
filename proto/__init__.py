"""The messages between peers, between actors and on disk; generated from the .proto files."""
