"""The lab's fixtures, for any folder of tests that imports them into its `conftest.py`:

from tests.lab.fixtures import administrator, dc, proxies, samba_tree  # noqa: F401
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.lab.administrator import Administrator
from tests.lab.samba_dc import SambaDc, pristine_tree
from tests.lab.tcp_proxy import Interception, TcpProxy
from tests.services.session import shared_cluster

MakeProxy = Callable[..., TcpProxy]


@pytest.fixture(scope="session")
def samba_tree() -> Path:
    """The domain, made once for all workers of a run and removed with the run's other things."""
    return pristine_tree(shared_cluster().home / "directory-lab")


@pytest.fixture(scope="session")
def dc(samba_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SambaDc]:
    """This worker's controller. Tests share it and leave it running; each makes its own people."""
    controller = SambaDc(samba_tree, tmp_path_factory.mktemp("dc") / "tree")
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
