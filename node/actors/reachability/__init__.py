"""How others can reach this node: what it knows of that, and what it does about it."""
