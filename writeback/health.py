"""The connectivity state of a tenant's directory."""

NOT_CONFIGURED = "not_configured"


def state_of_tenant() -> str:
    """One of the six states of connectivity (Entra, writeback).

    No connector can be enrolled yet, so every tenant's writeback is not configured.
    """
    return NOT_CONFIGURED
