"""The chat node: actors over ports, joined by `app`."""
