"""The lab's fixtures, for any folder of tests whose `conftest.py` imports all of them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.lab.administrator import Administrator
from tests.lab.samba_dc import SambaDc, pristine_tree
from tests.lab.seeds import BASE, SERVICE, Seed
from tests.lab.tcp_proxy import Interception, TcpProxy
from tests.services.session import shared_cluster, worker
from writeback.connectors.active_directory import ActiveDirectory, Settings
from writeback.connectors.ldap import Server
from writeback.connectors.ldap_tls import Transport

MakeProxy = Callable[..., TcpProxy]
MakeDirectory = Callable[..., ActiveDirectory]


@pytest.fixture(scope="session")
def samba_tree() -> Path:
    """The domain, made once for all workers of a run and removed with the run's other things."""
    return pristine_tree(shared_cluster().home / "directory-lab")


@pytest.fixture(scope="session")
def dc(samba_tree: Path) -> Iterator[SambaDc]:
    """This worker's controller. Tests share it and leave it running; each makes its own people."""
    controller = SambaDc(samba_tree, samba_tree.with_name(f"dc-{worker()}"))
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def administrator(dc: SambaDc) -> Iterator[Administrator]:
    signed_in = Administrator(dc.address, dc.port, dc.ca_file)
    yield signed_in
    signed_in.close()


@pytest.fixture
def proxies(dc: SambaDc) -> Iterator[MakeProxy]:
    """`proxies()` stands before this worker's controller; each is another address to a client."""
    with ExitStack() as stack:

        def make(
            target: tuple[str, int] | None = None, interception: Interception | None = None
        ) -> TcpProxy:
            proxy = TcpProxy(target or (dc.address, dc.port), interception=interception)
            proxy.start()
            stack.callback(proxy.stop)
            return proxy

        yield make


@pytest.fixture
def active_directory(dc: SambaDc) -> MakeDirectory:
    """`active_directory()` is the connector to this worker's controller; with proxies given, they
    are its controllers, in their order. More goes into its settings, as does `transport`."""

    def make(*proxies: TcpProxy, account: Seed = SERVICE, **more: Any) -> ActiveDirectory:
        clock = more.pop("clock", time.monotonic)
        transport = {"ca_file": dc.ca_file, **more.pop("transport", {})}
        servers = [Server(proxy.host, proxy.port) for proxy in proxies]
        settings = Settings(
            **{
                "controllers": tuple(servers or [Server(dc.address, dc.port)]),
                "base": BASE,
                "account": account.login,
                "password": lambda: account.password,
                "transport": Transport(**transport),
                **more,
            }
        )
        return ActiveDirectory(settings, clock)

    return make
