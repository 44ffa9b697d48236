"""An import in several chunks, and one without a tenant."""

from collections.abc import Iterator

import pytest

from accounts.imports import runs
from tenants.context import tenant_context
from tests.accounts.imports.files import MOBILE, contacts_of, csv_of
from tests.accounts.imports.test_runs import BOB, EVE, applied, checked
from tests.cast import Acme, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def inside(acme: Acme) -> Iterator[Acme]:
    with acme.inside():
        yield acme


def test_an_import_in_several_chunks_is_one(inside: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "CHUNK", 2)
    make_person("zoe", "acme.example")
    right = [f"{EVE},{MOBILE}", f"{BOB},{MOBILE}", "dave@acme.example,+1 4255550174"]

    broken = applied(inside, csv_of(*right, "zoe@acme.example,12"))
    assert (broken.kind, contacts_of(inside.eve)) == ("problems", {})
    whole = applied(inside, csv_of(*right, "zoe@acme.example,+1 4255550175"))

    assert (whole.kind, whole.run.counts["new"]) == ("applied", 4)
    assert contacts_of(inside.dave)["mobile_phone"][0] == "+1 4255550174"


def test_without_a_tenant_nothing_is_looked_at(acme: Acme) -> None:
    from tenants.context import NoTenant

    content = csv_of(f"{EVE},{MOBILE}")
    with pytest.raises(NoTenant):
        checked(acme, content)
    with tenant_context(acme.id):
        assert checked(acme, content).counts["new"] == 1
