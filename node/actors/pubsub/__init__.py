"""Rooms on gossip: the pubsub actor, and its parts."""
