"""Fixtures of a whole hybrid tenant."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Acme, Beta
from tests.lab.certificates import Authority
from tests.lab.hybrid import AgentHome, Hybrid, cloud_address, source_command, write_config
from tests.lab.samba_dc import SambaDc
from tests.lab.seeds import BASE, SERVICE, Seed
from tests.lab.tcp_proxy import DirectoryProxy, Interception, TcpProxy
from tests.resets.walks import set_policy
from tests.security.lab.lab import Lab, opened_lab
from tests.security.lab.server import SHARED_HOST, start_server
from tests.services.command import CommandProcess
from tests.services.server import ServerProcess
from tests.writeback.field import SIGNER, make_connector
from writeback.keys import written

PUBLIC = written(SIGNER.public_key())
PRIVATE = base64.b64encode(SIGNER.private_bytes_raw()).decode()
MakeHome = Callable[..., AgentHome]


@pytest.fixture(name="writing_server", scope="session")
def writing_server_fixture(django_db_setup: None) -> Iterator[ServerProcess]:
    """The product, which agents reach by number."""
    hosts = f"{SHARED_HOST},127.0.0.1"
    with start_server(SSPR_ALLOWED_HOSTS=hosts, SSPR_SIGNER_PUBLIC_KEYS=PUBLIC) as server:
        yield server


@pytest.fixture(name="hybrid_lab")
def hybrid_lab_fixture(
    transactional_db: None, acme: Acme, beta: Beta, writing_server: ServerProcess, outbox_dir: Path
) -> Iterator[Lab]:
    """What must hold after every case is checked when the test is over."""
    with opened_lab(acme, beta, writing_server, outbox_dir) as found:
        yield found


@pytest.fixture(name="signer", scope="package")
def signer_fixture(django_db_setup: None) -> Iterator[CommandProcess]:
    """The signer at work. Not beyond the lab, because it signs whatever is there to sign."""
    process = CommandProcess.manage("signer", env={"SSPR_SIGNER_KEY": PRIVATE}).start("signing")
    yield process
    process.stop()


@pytest.fixture(name="hybrid")
def hybrid_fixture(hybrid_lab: Lab, signer: CommandProcess) -> Iterator[Hybrid]:
    """Acme with writeback on, one directory without an agent yet, and the signer at work."""
    set_policy(hybrid_lab.acme, writeback=True)
    connector = make_connector(hybrid_lab.acme)
    found = Hybrid(hybrid_lab, connector, signer)
    yield found
    found.close()


@pytest.fixture(name="cloud")
def cloud_fixture(writing_server: ServerProcess) -> Iterator[TcpProxy]:
    """What lies between the agents and the product."""
    proxy = TcpProxy(("127.0.0.1", writing_server.port))
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture(name="domain_authority", scope="session")
def domain_authority_fixture(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the agents of the lab believe about the domain."""
    return Authority.create(tmp_path_factory.mktemp("domain-authority") / "ca")


@pytest.fixture(name="domain")
def domain_fixture(
    dc: SambaDc, domain_authority: Authority, tmp_path: Path
) -> Iterator[DirectoryProxy]:
    """What lies between the agents and the domain controller."""
    shown = domain_authority.issue(tmp_path / "domain", ["127.0.0.1"])
    proxy = DirectoryProxy((dc.address, dc.port), Interception(shown, dc.ca_file, dc.address))
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture(name="make_home")
def make_home_fixture(
    hybrid: Hybrid,
    domain_authority: Authority,
    cloud: TcpProxy,
    domain: DirectoryProxy,
    tmp_path: Path,
) -> MakeHome:
    """`make_home()` enrols, confirms and starts one more agent of the domain, and waits until its
    directory is healthy. account: whom it signs in as; more: of `write_config`."""

    def make(account: Seed = SERVICE, *, start: bool = True, **more: Any) -> AgentHome:
        home = AgentHome(
            tmp_path / f"agent{len(hybrid.homes)}", more.pop("command", None) or source_command()
        )
        settings = {
            "servers": [f"{domain.host}:{domain.port}"],
            "base": BASE,
            "account": account.login,
            "ca_file": str(domain_authority.file),
            # No fault of these tests is a slow handshake, and other tests run beside them.
            "connect_timeout": 10.0,
            **more.pop("settings", {}),
        }
        given = {"kind": "active_directory", "places": [f"OU=Staff,{BASE}"], **more}
        write_config(home.folder, cloud_address(cloud), settings, secret=account.password, **given)
        hybrid.homes.append(home)
        hybrid.enrol(home)
        if start:
            home.start()
            hybrid.wait_until_healthy()
        return home

    return make
