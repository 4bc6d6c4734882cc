"""Thin actors: they join `protocol/` to the ports."""
