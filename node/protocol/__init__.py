"""Chat logic without I/O: what goes in comes as arguments (time and randomness too), what comes out is returned."""
