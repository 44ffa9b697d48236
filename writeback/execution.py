"""PURE. One job against one directory: every check again, the change at most once."""
