"""A connection of its own, for a look at one server."""

import time
from contextlib import AbstractContextManager, closing

from writeback.connectors.ldap import LdapConnection, Server, opened
from writeback.connectors.ldap_tls import Transport, Trust


def connected(server: Server, transport: Transport) -> AbstractContextManager[LdapConnection]:
    """Nobody is signed in on it. Raises Unreachable."""
    return closing(opened(server, transport, Trust(transport, time.monotonic).context()))
