"""A product on loopback, over TLS with an authority of the test's own, and an agent beside it."""

import io
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from django.utils import timezone

from tests.writeback.agent.certificates import Authority
from tests.writeback.agent.host import Host
from tests.writeback.agent.product import Product
from writeback.agent import cli
from writeback.connectors import registry

Serve = Callable[[Path | None], Product]
Call = Callable[..., tuple[int, str, str]]
CONFIG = """
product = "{product}"
state = "{folder}/state"
name = "agent-1"
allow_loopback_http = true
[directory]
kind = "{kind}"
secret_file = "{folder}/secret"
[directory.settings]
state = "{folder}/directory.json"
once = "{folder}/once"
[limits]
places = ["OU=Staff,DC=example,DC=com"]
"""


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


@pytest.fixture
def kept_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command changes the process it runs in, which is the tests' own here."""
    limits: list[Any] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *given: limits.append(given))
    monkeypatch.setitem(
        cast(dict[str, str], registry.CONNECTORS), "scripted", "tests.writeback.agent.process"
    )
    mask = os.umask(0o022)
    # What it blocks, every process that a later test starts would inherit, and could not be ended.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    os.umask(mask)
    assert set(limits) <= {(resource.RLIMIT_CORE, (0, 0))}


@pytest.fixture
def plain(serve: Serve) -> Product:
    return serve(None)


@pytest.fixture
def config(tmp_path: Path, plain: Product) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(CONFIG.format(product=plain.url, folder=tmp_path, kind="scripted"))
    secret = tmp_path / "secret"
    secret.write_text("of the directory")
    secret.chmod(0o600)
    return path


@pytest.fixture
def call(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kept_as_it_was: None,
) -> Call:
    """The command in this process: its exit code and what it said."""

    def called(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = cli.main([*arguments, "--config", str(config)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return called
