"""Who is where: bootstrap peers, mDNS, peer exchange, and the members of rooms in the DHT."""

from p2pchat.node.actors.discovery.actor import DiscoveryActor

__all__ = ["DiscoveryActor"]
