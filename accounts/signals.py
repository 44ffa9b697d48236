"""What happens to people that the apps above want to know."""

from django.dispatch import Signal

repudiated = Signal()
"""Somebody reported in the authenticator that a request was not theirs. Sent with `challenge`, the
UUID of what was to be approved, and `now`, in no tenant's context; `tenant` says whose it is."""
