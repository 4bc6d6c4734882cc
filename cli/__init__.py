"""The command line and the terminal: the only place that reads flags and the environment."""
