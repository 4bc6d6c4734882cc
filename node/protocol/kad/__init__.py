"""The Kademlia DHT of libp2p without I/O: keys, routing table, look-ups, and what is kept for others."""
