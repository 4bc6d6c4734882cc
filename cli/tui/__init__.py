"""The terminal UI, with Textual. It knows the node only as a `NodeLink`."""
