"""A product on loopback, over TLS with an authority of the test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from tests.writeback.agent.certificates import Authority
from tests.writeback.agent.host import Host
from tests.writeback.agent.product import Product

Serve = Callable[[Path | None], Product]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority", timezone.now())


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts products; a certificate file makes one speak TLS."""
    running: list[Product] = []

    def started(certificate: Path | None) -> Product:
        product = Product(certificate)
        product.start()
        running.append(product)
        return product

    yield started
    for product in running:
        product.stop()


@pytest.fixture
def product(serve: Serve, authority: Authority) -> Product:
    return serve(authority.issue("127.0.0.1"))


@pytest.fixture
def host(tmp_path: Path, product: Product, authority: Authority) -> Iterator[Host]:
    """With an agent that the product knows."""
    host = Host(tmp_path, product, authority)
    host.enrol()
    yield host
    for process in host.running:
        process.kill()
        process.wait()
