"""Real directories on loopback, and what can go wrong on the way to them."""
