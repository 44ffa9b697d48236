"""What the tests of Entra ID's connector do with it."""

from contextlib import AbstractContextManager

from tests.services.graph import ALICE, CLIENT, SECRET, TENANT, GraphDouble
from writeback.connectors.base import Change
from writeback.connectors.entra_id import EntraConnection, EntraDirectory, from_settings

NEW = "  Grüße \"und' 👩‍🚀 e\u0301 "
RESET = r".*/resetPassword"
WAYS = {"profile": ("PATCH", rf"/v1\.0/users/{ALICE}"), "operation": ("POST", RESET)}
USER = rf"/v1\.0/users/{ALICE}"
OPERATION = r".*/operations/.*"
SHORT = {"connect_timeout": 1.0, "receive_timeout": 1.0}


def settings(double: GraphDouble, **more: object) -> dict[str, object]:
    return {
        "tenant": TENANT,
        "client": CLIENT,
        "graph": f"{double.url}/v1.0",
        "login": double.url,
        "is_test": True,
        "operation_timeout": 30.0,
        "poll_every": 0.01,
        **more,
    }


def directory(double: GraphDouble, **more: object) -> EntraDirectory:
    return from_settings(settings(double, **more), lambda: SECRET)


def connected(double: GraphDouble, **more: object) -> AbstractContextManager[EntraConnection]:
    return directory(double, **more).connect()


def reset(connection: EntraConnection, new: str = NEW, *, must_change: bool = False) -> Change:
    entry = connection.find(ALICE)
    assert entry is not None
    return connection.set_password(entry, new, unlock=True, must_change=must_change)
