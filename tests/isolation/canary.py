"""Both tenants with a row in every walled table, and beta's every text carrying the canary.

What is written is taken from the models, so a table or column added later is marked too.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models
from django.test import Client
from django.utils import timezone
from psycopg import sql

from accounts.models import User
from resets.services import Handle, Origin, start
from tenants.checks import walled_tables
from tenants.models import Tenant
from tenants.runtime_role import APPEND_ONLY
from tenants.scoping import tenant_models
from tenants.services import get_platform
from tests.cast import CANARY, Acme, Beta, Organisation, make_person
from tests.isolation.answers import shows_any, shows_canary
from tests.isolation.rows import make_rows
from tests.services.signed_in import prove_client

MARK = f"{CANARY} "


@dataclass(frozen=True)
class Scene:
    """Two tenants in full. `own` and `theirs` are the ids of their rows by model, `journey` is an
    open one of acme's alice."""

    acme: Acme
    beta: Beta
    own: dict[type[models.Model], list[UUID]]
    theirs: dict[type[models.Model], list[UUID]]
    journey: Handle

    @property
    def foreign(self) -> list[UUID]:
        return [pk for ids in self.theirs.values() for pk in ids]

    def administrator(self, *, host: str = "") -> Client:
        """A browser signed in as acme's administrator."""
        return signed_in_as(self.acme, self.acme.carol, host or self.acme.host)

    def counterpart(self) -> Client:
        """A browser signed in as beta's administrator, who may see what acme's may not."""
        with self.beta.inside():
            roles = ["global_administrator"]
            ada = make_person("ada", "beta.example", given_name=f"{MARK}Ada", roles=roles)
        return signed_in_as(self.beta, ada, "localhost")


def signed_in_as(organisation: Organisation, user: User, host: str) -> Client:
    client = Client(headers={"host": host}, raise_request_exception=False)
    with organisation.inside():
        client.force_login(user)
    prove_client(client)
    return client


@pytest.fixture(name="scene")
def set_scene(acme: Acme, beta: Beta) -> Scene:
    """Fills both tenants and marks beta."""
    get_platform()
    with acme.inside():
        make_rows(acme)
    now, origin = timezone.now(), Origin("192.0.2.10", "en")
    begun = start(acme.alice.user_id, host_tenant=acme.id, organisation="", origin=origin, now=now)
    assert begun.handle is not None
    with beta.inside():
        make_rows(beta, CANARY)
        mark_texts()
    own, theirs = ids_of(acme), ids_of(beta)
    return Scene(acme, beta, own, theirs, begun.handle)


def ids_of(organisation: Organisation) -> dict[type[models.Model], list[UUID]]:
    with organisation.inside():
        found: dict[type[models.Model], list[UUID]] = {Tenant: [organisation.id]}
        for model in tenant_models():
            found[model] = list(model.objects.order_by("pk").values_list("pk", flat=True))
    return found


def mark_texts() -> None:
    """Writes the canary in front of every text of the tenant in force that has room for it."""
    models_of_tenants: list[type[models.Model]] = [Tenant, *tenant_models()]
    for model in models_of_tenants:
        if model in APPEND_ONLY:
            continue  # written with the canary from the start
        changes = [change for field in model._meta.local_fields if (change := _marking(field))]
        if changes:
            table = sql.Identifier(model._meta.db_table)
            with connection.cursor() as cursor:
                cursor.execute(
                    sql.SQL("UPDATE {} SET {}").format(table, sql.SQL(", ").join(changes))
                )


def _marking(field: Any) -> sql.Composed | None:
    column = sql.Identifier(field.column)
    if isinstance(field, models.JSONField):
        query = (
            "{0} = CASE jsonb_typeof({0}) WHEN 'array' THEN '[{1}]'"
            " WHEN 'object' THEN '{{{1}: {1}}}' ELSE {0} END::jsonb"
        )
        return sql.SQL(query).format(column, sql.SQL(f'"{CANARY}"'))
    if (
        not isinstance(field, models.CharField | models.TextField)
        or field.choices
        or field.generated
    ):
        return None
    if field.max_length is not None and field.max_length < len(MARK):
        return None
    size = sql.Literal(field.max_length or 10_000)
    return sql.SQL("{0} = left({1} || {0}, {2})").format(column, sql.Literal(MARK), size)


def snapshot(organisation: Organisation) -> dict[str, str | None]:
    """A hash over all rows of the tenant, by table."""
    parts = [
        sql.SQL("SELECT {}, md5(string_agg(t::text, ',' ORDER BY id)) FROM {} t").format(
            sql.Literal(table), sql.Identifier(table)
        )
        for table in sorted(walled_tables())
    ]
    with organisation.inside(), connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return dict(cursor.fetchall())


def leaks(scene: Scene, text: str, *asked: str) -> bool:
    """Whether beta shows, beyond an echo of what was asked for."""
    for word in asked:
        text = text.replace(word, "")
    return shows_canary(text) or bool(shows_any(text, scene.foreign))


# Signing in, asking and being refused leave their own traces.
TRACES = {"tenants_auditevent", "tenants_auditpending", "accounts_session", "tenants_counter"}


def state(scene: Scene) -> dict[str, Any]:
    """Everything of both tenants but the traces of asking."""
    return {
        f"{each.domain} {table}": value
        for each in (scene.acme, scene.beta)
        for table, value in snapshot(each).items()
        if table not in TRACES
    }
