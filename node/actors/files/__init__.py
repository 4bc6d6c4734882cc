"""Files between two people: offered in a message, fetched by the recipient over a stream, small ones by mailbox."""
