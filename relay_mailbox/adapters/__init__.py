"""Adapters of the mailbox's own port: mail on disk, and in memory. Foreign errors stop here."""
