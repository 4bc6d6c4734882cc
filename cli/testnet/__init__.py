"""`p2pchat testnet`: a whole network with faults on one machine, and a verdict."""
