"""The DHT as an actor: who is where, who is in a room, how mail is left for somebody."""
