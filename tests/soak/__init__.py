"""Long runs: processes that are killed, disks that are full, floods of bad input. `make soak` runs them in full."""
