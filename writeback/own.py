"""The installation's own agents: one for each directory that the product reaches itself.

Jobs are sealed to them and signed for them as for every agent. What an agent keeps in files they
make anew from the master key: their identity, bound to tenant and directory, and a key for each
day. So every worker process is the same agent, and nothing of it is in the database.
"""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tenants.keys import installation_mac

from .models import Agent, AgentKey
from .protocol import key_id, key_text
from .sealing import is_confirmed

NAME = "This product"
ALSO_AFTER = timedelta(minutes=15)
"""How long the key of a day still holds on the next one: jobs that were sealed to it may come."""


def own_identity(tenant: UUID, connector: UUID) -> Ed25519PrivateKey:
    """Who the product is towards its own jobs in this directory."""
    seed = installation_mac("own agent identity", tenant, connector)
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_identity(tenant: UUID, connector: UUID) -> bytes:
    return own_identity(tenant, connector).public_key().public_bytes_raw()


def own_key(tenant: UUID, connector: UUID, day: date) -> X25519PrivateKey:
    """What jobs of this directory are sealed to on this day, of UTC."""
    seed = installation_mac("own agent key", tenant, connector, day.isoformat())
    return X25519PrivateKey.from_private_bytes(seed)


def find_own_key(tenant: UUID, connector: UUID, key: str, now: datetime) -> X25519PrivateKey | None:
    """The private key with this id, of today or the day beside it; nothing for any other. The
    clock of the process that sealed may be a little ahead."""
    today = now.astimezone(UTC).date()
    for days in (0, -1, 1):
        found = own_key(tenant, connector, today + timedelta(days=days))
        if key_id(found.public_key()) == key:
            return found
    return None


def is_ours(agent: Agent) -> bool:
    """Whether this is really the product itself: marked and confirmed as such, with the identity
    that only this installation makes."""
    identity = public_identity(agent.tenant_id, agent.connector_id)
    return agent.own and is_confirmed(agent) and bytes(agent.identity) == identity


def keep_keys_of(agent: Agent, now: datetime) -> int:
    """Offers the keys of today and tomorrow, and takes back what is over; how many are new. In the
    tenant's context."""
    today = now.astimezone(UTC).date()
    wanted = [_key_of(agent, day) for day in (today, today + timedelta(days=1))]
    rows = AgentKey.objects.filter(agent=agent)
    known = {bytes(key) for key in rows.values_list("key", flat=True)}
    missing = [row for row in wanted if row.key not in known]
    AgentKey.objects.bulk_create(missing, ignore_conflicts=True)
    if len(known) + len(missing) > len(wanted):
        rows.filter(ends__lte=now).delete()
    return len(missing)


def _key_of(agent: Agent, day: date) -> AgentKey:
    tenant, connector = agent.tenant_id, agent.connector_id
    begins = datetime.combine(day, time(), UTC)
    ends = begins + timedelta(days=1) + ALSO_AFTER
    key = own_key(tenant, connector, day).public_key().public_bytes_raw()
    signature = own_identity(tenant, connector).sign(key_text(agent.pk, key, begins, ends))
    return AgentKey(agent=agent, key=key, begins=begins, ends=ends, signature=signature)
