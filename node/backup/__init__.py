"""A whole node or mailbox in one encrypted file, and back: docs/backup.md says what is in it."""
