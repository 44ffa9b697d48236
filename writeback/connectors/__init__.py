"""Directories a password can be set in, one module each."""
