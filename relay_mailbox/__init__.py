"""The always-on role of a node: relays for the undialable, keeps mail for the absent."""
