"""Adapters: the real and the in-memory implementation of each port. Foreign errors stop here."""
