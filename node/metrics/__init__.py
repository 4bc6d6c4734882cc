"""What Prometheus reads of a running process: numbers only, and nothing that names anybody or any place."""
