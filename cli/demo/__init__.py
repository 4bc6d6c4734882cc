"""`p2pchat demo`: a mailbox and two nodes play a story, as real processes, on this computer only."""
