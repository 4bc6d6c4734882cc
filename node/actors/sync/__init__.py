"""The sync actor: makes rooms complete, and serves others who do."""
