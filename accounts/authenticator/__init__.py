"""Our own authenticator: a phone with a key of its own that approves, and shows codes."""
