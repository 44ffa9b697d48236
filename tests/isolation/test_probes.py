"""100,000 random probes between three tenants: none crosses (G-6, A-082)."""

from dataclasses import replace

import pytest
from django.db import models

from tenants.checks import walled_tables
from tenants.context import tenant_context
from tenants.models import ResetPolicy, Subscription, Tenant
from tenants.scoping import tenant_models
from tenants.services import create_tenant
from tests.cast import Acme, Beta, Organisation
from tests.isolation.many import make_many
from tests.isolation.probes import READS, Probe, Rows, chance, draw, probe_orm, run
from tests.isolation.rows import make_rows

PARTS = 2  # shared out among the workers of a run
BY_SQL, BY_ORM, CONTROLS = 98_000 // PARTS, 2_000 // PARTS, 1_000
A_TABLE = 30


def gamma() -> Organisation:
    """A third tenant, so that a row has two strangers."""
    tenant = create_tenant("gamma", "Gamma")
    with tenant_context(tenant.id):
        return Organisation(
            tenant,
            "gamma.example",
            "gamma.sspr.test",
            Subscription.objects.create(plan="p1"),
            ResetPolicy.objects.create(),
        )


@pytest.fixture
def rows(acme: Acme, beta: Beta) -> Rows:
    found = {}
    for organisation in (acme, beta, gamma()):
        with organisation.inside():
            found[organisation.id] = make_many(organisation, make_rows(organisation), A_TABLE)
    return found


def columns() -> dict[type[models.Model], str]:
    every: list[type[models.Model]] = [Tenant, *tenant_models()]
    return {model: walled_tables()[model._meta.db_table] for model in every}


@pytest.mark.parametrize("part", range(PARTS))
def test_no_probe_of_a_hundred_thousand_crosses(part: int, rows: Rows) -> None:
    seed, dice = chance(part)
    print(f"SSPR_PROBE_SEED={seed}, part {part}")
    probes: list[Probe] = list(draw(rows, columns(), BY_SQL, dice))

    answers = run(probes)
    asked, crossed_by_orm = probe_orm(rows, BY_ORM, dice)

    assert PARTS * (len(answers) + asked) == 100_000
    crossed = [
        (probe, answer)
        for probe, answer in zip(probes, answers, strict=True)
        if probe.is_crossed(*answer)
    ]
    again = f"repeat with SSPR_PROBE_SEED={seed}, part {part}"
    assert (crossed[:5], len(crossed)) == ([], 0), again
    assert crossed_by_orm == [], again
    assert len({(p.tenant, p.row, p.statement) for p in probes}) > BY_SQL // 2


def test_the_same_probes_on_ones_own_rows_find_them(rows: Rows) -> None:
    """Else the probes might ask for nothing that is there."""
    _, dice = chance(PARTS)
    own: list[Probe] = [
        replace(probe, other=probe.tenant, row=dice.choice(rows[probe.tenant][probe.asked]))
        for probe in draw(rows, columns(), 20 * CONTROLS, dice)
        if probe.operation in set(READS) - {"not ours"}
    ][:CONTROLS]

    answers = run(own)

    assert len(answers) == CONTROLS
    assert {problem for _, problem in answers} == {""}
    assert [p for p, (touched, _) in zip(own, answers, strict=True) if touched < 1] == []
