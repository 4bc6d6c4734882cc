"""Direct messages: out of the outbox to recipients and mailboxes, and in from both."""
