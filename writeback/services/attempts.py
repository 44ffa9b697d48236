"""The jobs of one attempt, locked together.

One statement, written by hand: what belongs to a job is read with it and not locked.
"""

from functools import cache
from uuid import UUID

from accounts.models import User
from tenants.context import get_current_tenant
from tenants.joined import Joined
from tenants.statements import is_embedded
from tenants.together import Given, Reading, stored

from ..models import Agent, Connector, WritebackJob

_JOB = Joined(j=WritebackJob, c=Connector, a=Agent, u=User)
_EVERY = Reading(
    lambda: (
        WritebackJob.objects.filter(origin=Given("origin"), attempt=Given("attempt")).only("pk"),
    )
)


def lock_attempt(of: UUID, *, skip_locked: bool = False) -> list[WritebackJob]:
    """The jobs of all directories of the attempt that a job belongs to, in one order, each with its
    connector, agent and person; nothing if there is none.

    Whoever ends a job begins with this: two that each hold one and want the other's would wait for
    each other. skip_locked: nothing as well while somebody else is at it.
    """
    tenant = stored(get_current_tenant())
    locked: list[WritebackJob] = []
    for job, connector, agent, user in _JOB.rows(
        _statement(skip_locked), [tenant, tenant, stored(of)]
    ):
        job.connector, job.agent, job.user = connector, agent, user
        locked.append(job)
    if not skip_locked or not locked:
        return locked
    [every] = _EVERY.rows(origin=locked[0].origin, attempt=locked[0].attempt)
    return locked if len(locked) == len(every) else []


@cache
def _statement(skip_locked: bool) -> str:
    job, connector, agent, user = (
        model._meta.db_table for model in (WritebackJob, Connector, Agent, User)
    )
    text = (
        f"SELECT {_JOB.columns} FROM {job} j"  # noqa: S608 - names of ours
        f" JOIN {connector} c ON c.tenant_id = j.tenant_id AND c.id = j.connector_id"
        f" LEFT JOIN {agent} a ON a.tenant_id = j.tenant_id AND a.id = j.agent_id"
        f" LEFT JOIN {user} u ON u.tenant_id = j.tenant_id AND u.id = j.user_id"
        " WHERE j.tenant_id = %s AND (j.origin, j.attempt) ="
        f" (SELECT origin, attempt FROM {job} WHERE tenant_id = %s AND id = %s) ORDER BY j.id"
    )
    if is_embedded():
        return text
    return f"{text} FOR UPDATE OF j{' SKIP LOCKED' if skip_locked else ''}"
