"""A real domain controller, the signer and an agent: what stands behind a hybrid tenant."""

import base64
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from accounts.models import User
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.models import ResetPolicy
from tests.lab.administrator import Administrator
from tests.lab.hybrid import bare_environment, enrol_with, source_command, write_config
from tests.lab.samba_dc import SambaDc, pristine_tree
from tests.lab.seeds import BASE, SERVICE, Seed
from tests.services.ports import wait_until
from writeback.connectors.active_directory import ActiveDirectory, from_settings
from writeback.keys import written
from writeback.models import Agent, Connector, DirectoryLink
from writeback.services import enrolment
from writeback.services.states import standings

from .people import Person, Place
from .servers import PATIENCE, Process, Server

_BENCH = Party("system", None, "benchmark")
NO_LIMITS = ["per_hour = 10000", "burst = 1000", "at_once = 8"]


class Signer(Process):
    """`manage.py signer`, the only one that holds the private key."""

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__([sys.executable, "manage.py", "signer"], _at_once(env))

    def _is_ready(self) -> bool:
        return "signing" in self.log


class AgentProcess(Process):
    """An agent from the sources, with nothing of the product's settings."""

    def __init__(self, folder: Path) -> None:
        config = str(folder / "agent.toml")
        env = _at_once(bare_environment())
        super().__init__([*source_command(), "run", "--config", config], env)

    def _is_ready(self) -> bool:
        return "begins" in self.log


def _at_once(env: Mapping[str, str]) -> dict[str, str]:
    """What it says is waited for, so it must not stay in a buffer."""
    return {**env, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class Domain:
    """One controller and its administrator. settings: of a connector to it."""

    controller: SambaDc
    administrator: Administrator
    settings: Mapping[str, object]

    def connector(self) -> ActiveDirectory:
        """The product's own connector, as the agent opens it."""
        return from_settings(self.settings, lambda: SERVICE.password)

    def add_people(self, count: int) -> list[Seed]:
        return [self.administrator.add_person() for _ in range(count)]


@contextmanager
def domain() -> Iterator[Domain]:
    """A fresh domain that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sspr-domain-") as home, ExitStack() as stack:
        controller = SambaDc(pristine_tree(Path(home)), Path(home) / "dc", can_be_strict=False)
        controller.start()
        stack.callback(controller.stop)
        administrator = Administrator(controller.address, controller.port, controller.ca_file)
        stack.callback(administrator.close)
        settings = {
            "servers": [f"{controller.address}:{controller.port}"],
            "base": BASE,
            "account": SERVICE.login,
            "ca_file": str(controller.ca_file),
        }
        yield Domain(controller, administrator, settings)


@dataclass(frozen=True)
class Keys:
    """The signer's pair, as the environment carries them."""

    private: str
    public: str

    @classmethod
    def make(cls) -> "Keys":
        key = Ed25519PrivateKey.generate()
        private = base64.b64encode(key.private_bytes_raw()).decode()
        return cls(private, written(key.public_key()))


def connect(place: Place) -> Connector:
    """From now on the tenant writes passwords back, to a directory without an agent yet."""
    with tenant_context(place.tenant):
        policy = ResetPolicy.objects.get()
        policy.writeback = True
        policy.save()
        found: Connector = Connector.objects.create(name="Head office", kind="active_directory")
        return found


def link(domain: Domain, connector: Connector, people: list[Person], seeds: list[Seed]) -> None:
    """Each person's password is kept in the domain, on the account of the same place in line."""
    anchors = [domain.administrator.anchor(seed) for seed in seeds]
    with tenant_context(connector.tenant_id):
        users = {user.user_id: user for user in User.objects.all()}
        mine = [users[person.user_id] for person in people]
        for user in mine:
            user.source = User.Source.PASSWORD_HASH_SYNC
        User.objects.bulk_update(mine, ["source"])
        # One by one, because each is sealed as it is saved.
        for user, anchor in zip(mine, anchors, strict=True):
            DirectoryLink.objects.create(user=user, connector=connector, anchor=anchor)


@contextmanager
def agent(server: Server, domain: Domain, connector: Connector) -> Iterator[AgentProcess]:
    """An agent that was let in and whose directory is healthy."""
    with tempfile.TemporaryDirectory(prefix="sspr-agent-") as home:
        folder = Path(home) / "agent"
        product = f"http://127.0.0.1:{server.port}"
        write_config(
            folder,
            product,
            domain.settings,
            secret=SERVICE.password,
            kind="active_directory",
            places=[f"OU=Staff,{BASE}"],
            limits=NO_LIMITS,
        )
        _enrol(folder, connector)
        with AgentProcess(folder) as process:
            wait_until(lambda: _is_healthy(connector), "the directory to be healthy", PATIENCE)
            yield process


def _enrol(folder: Path, connector: Connector) -> None:
    with tenant_context(connector.tenant_id):
        code = enrolment.make_code(connector, _BENCH, timezone.now())
    enrol_with(code, source_command(), folder / "agent.toml")
    with tenant_context(connector.tenant_id):
        waiting = Agent.objects.get(state=Agent.State.PENDING)
        enrolment.confirm(waiting.pk, _BENCH, timezone.now())


def _is_healthy(connector: Connector) -> bool:
    with tenant_context(connector.tenant_id):
        return standings(timezone.now())[0].state == "healthy"
