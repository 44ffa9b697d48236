"""Random questions about another tenant's row, each asked by itself, each answer looked at.

A probe is (tenant in force, another tenant's row, operation). Those in SQL run one after another
inside the server, as the runtime role, which is what makes 100,000 of them cheap.
"""

import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random  # noqa: TID251 - guards nothing; a run must be repeatable by its seed
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import Count

from tenants.context import tenant_context
from tenants.runtime_role import APPEND_ONLY
from tenants.scoping import TenantModel, tenant_models

SEED = "SSPR_PROBE_SEED"
# What PostgreSQL says when it refuses: no privilege (row-level security too), no such row to point
# at, a key that is taken.
REFUSED = frozenset({"42501", "23503", "23505"})

# {t} is the table, {c} its tenant's column; $1 the other tenant's row, $2 that tenant, $3 our own.
READS: Mapping[str, str] = {
    "by key": "SELECT 1 FROM {t} WHERE id = $1",
    "by tenant": "SELECT 1 FROM {t} WHERE {c} = $2 LIMIT 1",
    "among others": "SELECT 1 FROM {t} WHERE id IN ($1, $2, $3) AND {c} = $2",
    "not ours": "SELECT 1 FROM {t} WHERE {c} <> $3 LIMIT 1",
    "either": "SELECT 1 FROM {t} WHERE ({c} = $3 OR true) AND id = $1",
    "aggregate": "SELECT max(id::text) FROM {t} WHERE id = $1 HAVING count(*) > 0",
    "join": "SELECT 1 FROM {t} a JOIN tenants_tenant b ON b.id = a.{c} WHERE a.id = $1",
    "subquery": "SELECT 1 FROM tenants_tenant WHERE id IN (SELECT {c} FROM {t} WHERE id = $1)",
    "union": "SELECT id FROM {t} WHERE id = $1 UNION SELECT id FROM {t} WHERE {c} = $2 LIMIT 1",
    "text": "SELECT 1 FROM {t} r WHERE r::text LIKE '%' || $1 || '%' LIMIT 1",
}
WRITES: Mapping[str, str] = {
    "lock": "SELECT 1 FROM {t} WHERE id = $1 FOR UPDATE",
    "update": "UPDATE {t} SET {c} = {c} WHERE id = $1",
    "take over": "UPDATE {t} SET {c} = $3 WHERE id = $1 OR {c} = $2",
    "delete": "DELETE FROM {t} WHERE id = $1",
    "delete all": "DELETE FROM {t} WHERE {c} = $2",
}
# These are tried on a row of our own, and have to be refused in so many words.
GIFTS: Mapping[str, str] = {
    "give away": (
        "UPDATE {t} SET {c} = $2 WHERE id = (SELECT id FROM {t} LIMIT 1) AND $1 IS NOT NULL"
    ),
    "make theirs": "INSERT INTO {t} ({names}) SELECT {values} FROM {t} LIMIT 1",
}
POINT = "UPDATE {t} SET {f} = $1 WHERE id = (SELECT id FROM {t} LIMIT 1)"

# One function a statement: its plan is kept while the tenant changes from probe to probe, as it is
# in a server's connection.
FUNCTION = """
CREATE OR REPLACE FUNCTION pg_temp.probe(tenants uuid[], rows_asked uuid[], others uuid[])
RETURNS TABLE (probe_place bigint, touched bigint, problem text) LANGUAGE plpgsql AS $probe$
DECLARE v_tenant uuid; v_row uuid; v_other uuid;
BEGIN
  FOR v_tenant, v_row, v_other, probe_place IN
    SELECT * FROM unnest(tenants, rows_asked, others) WITH ORDINALITY
  LOOP
    PERFORM set_config('app.tenant', v_tenant::text, true);
    BEGIN
      %s;
      GET DIAGNOSTICS touched = ROW_COUNT;
      problem := '';
    EXCEPTION WHEN OTHERS THEN
      touched := 0;
      problem := SQLSTATE;
    END;
    RETURN NEXT;
  END LOOP;
  PERFORM set_config('app.tenant', '', true);
END $probe$
"""
PARAMETERS = {"$1": "v_row", "$2": "v_other", "$3": "v_tenant"}


@dataclass(frozen=True)
class Probe:
    """One question about a row of `asked`; where `refusal`, to find nothing is not enough."""

    tenant: UUID
    other: UUID
    asked: type[models.Model]
    row: UUID
    operation: str
    statement: str
    refusal: bool

    def is_crossed(self, touched: int, problem: str) -> bool:
        """Whether the answer is anything but nothing, or a refusal."""
        if self.refusal:
            return problem not in REFUSED
        return touched > 0 or problem not in {"", *REFUSED}


def chance(part: int) -> tuple[int, Random]:
    """The seed of this run, and the dice of one part of it."""
    seed = int(os.environ.get(SEED) or secrets.randbelow(10**9))
    return seed, Random(f"{seed} {part}")  # noqa: S311 - as above


def statements(
    model: type[models.Model], target_of: Mapping[type[models.Model], str]
) -> Iterator[tuple[str, str, bool, type[models.Model]]]:
    """Operation, statement, whether it must be refused, and whose rows it is asked about."""
    table, column = model._meta.db_table, target_of[model]
    names, values = copied(model, column)
    for kinds, refusal in ((READS, False), (WRITES, False), (GIFTS, True)):
        for name, template in kinds.items():
            text = template.format(t=table, c=column, names=names, values=values)
            yield name, text, refusal, model
    for field in model._meta.local_fields:
        target: Any = field.related_model
        if field.is_relation and field.name != "tenant" and target in target_of:
            statement = POINT.format(t=table, f=field.column)
            yield f"point {field.name}", statement, True, target


def copied(model: type[models.Model], column: str) -> tuple[str, str]:
    """The columns of a row, and what is in them in a copy of it for another tenant ($2)."""
    new = {"id": "gen_random_uuid()", column: "$2"}
    names = [f.column for f in model._meta.local_fields if not f.generated]
    return ", ".join(names_quoted(names)), ", ".join(new.get(n, f'"{n}"') for n in names)


def names_quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]


Rows = Mapping[UUID, Mapping[type[models.Model], Sequence[UUID]]]


def draw(rows: Rows, columns: Mapping[type[models.Model], str], number: int, dice: Random) -> Any:
    """That many random probes over all models, operations, pairs of tenants and rows."""
    kinds = [kind for model in columns for kind in statements(model, columns)]
    tenants = list(rows)
    for _ in range(number):
        tenant, other = dice.sample(tenants, 2)
        name, statement, refusal, asked = dice.choice(kinds)
        row = dice.choice(rows[other][asked])
        yield Probe(tenant, other, asked, row, name, statement, refusal)


def run(probes: Sequence[Probe]) -> list[tuple[int, str]]:
    """Rows touched and refusal of each probe, in order. Works in the open transaction."""
    places: dict[str, list[int]] = {}
    for place, probe in enumerate(probes):
        places.setdefault(probe.statement, []).append(place)
    found: dict[int, tuple[int, str]] = {}
    with connection.cursor() as cursor:
        # What a reference points at is otherwise only looked at when the transaction ends.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement, group in places.items():
            cursor.execute(FUNCTION % _in_a_function(statement), None)
            asked = [probes[place] for place in group]
            cursor.execute(
                "SELECT touched, problem FROM pg_temp.probe(%s, %s, %s) ORDER BY probe_place",
                [
                    [probe.tenant for probe in asked],
                    [probe.row for probe in asked],
                    [probe.other for probe in asked],
                ],
            )
            found.update(zip(group, cursor.fetchall(), strict=True))
    return [found[place] for place in range(len(probes))]


def _in_a_function(statement: str) -> str:
    for parameter, variable in PARAMETERS.items():
        statement = statement.replace(parameter, variable)
    return re.sub(r"^SELECT", "PERFORM", statement)


def _get(model: Any, pk: UUID) -> object:
    try:
        return model.objects.get(pk=pk)
    except model.DoesNotExist:
        return None


def _related(model: Any, pk: UUID) -> object:
    """From the other end: rows of ours that hang on theirs."""
    names = [f.name for f in model._meta.local_fields if f.is_relation and f.name != "tenant"]
    lookup = {f"{names[0]}__pk": pk} if names else {"pk": pk}
    return model.objects.filter(**lookup).select_related(*names).first()


ORM_READS: Mapping[str, Callable[[Any, UUID], object]] = {
    "get": _get,
    "filter": lambda model, pk: model.objects.filter(pk=pk).first(),
    "exists": lambda model, pk: model.objects.filter(pk__in=[pk]).exists(),
    "base": lambda model, pk: model._base_manager.filter(pk=pk).first(),
    "aggregate": lambda model, pk: model.objects.filter(pk=pk).aggregate(n=Count("pk"))["n"],
    "count": lambda model, pk: model.objects.filter(pk=pk).count(),
    "values": lambda model, pk: list(model.objects.filter(pk=pk).values("pk")),
    "bulk": lambda model, pk: model.objects.in_bulk([pk]),
    "related": _related,
    "raw": lambda model, pk: list(
        model.objects.raw(f'SELECT * FROM "{model._meta.db_table}" WHERE id = %s', [pk])  # noqa: S608 - a table's name
    ),
}
ORM_WRITES: Mapping[str, Callable[[Any, UUID], object]] = {
    "update": lambda model, pk: model.objects.filter(pk=pk).update(id=pk),
    "delete": lambda model, pk: model.objects.filter(pk=pk).delete()[0],
}


def probe_orm(rows: Rows, number: int, dice: Random) -> tuple[int, list[str]]:
    """The same through the product's managers: how many were asked, and what crossed."""
    crossed, tenants, found = [], list(rows), list(tenant_models())
    batch = 100
    for _ in range(number // batch):
        tenant, other = dice.sample(tenants, 2)
        with tenant_context(tenant):
            for _ in range(batch):
                model = dice.choice(found)
                ways = ORM_READS if model in APPEND_ONLY else {**ORM_READS, **ORM_WRITES}
                name = dice.choice(list(ways))
                if ways[name](model, dice.choice(rows[other][_asked(model, name)])):
                    crossed.append(f"{model._meta.label} {name}")
    return number // batch * batch, crossed


def _asked(model: type[TenantModel], name: str) -> Any:
    """Whose key is asked for: the row's own, or that of the row it hangs on."""
    if name == "related":
        for field in model._meta.local_fields:
            if field.is_relation and field.name != "tenant":
                return field.related_model
    return model
