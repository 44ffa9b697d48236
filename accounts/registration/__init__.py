"""Security info: what a person registers to prove who they are, and how it is kept current."""
