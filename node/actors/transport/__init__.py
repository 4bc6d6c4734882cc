"""The libp2p host: who is dialled, who is connected, and how they greet each other."""
