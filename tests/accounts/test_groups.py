"""Groups inside groups count, circles end, and another tenant's groups are nobody's."""

import pytest

from accounts.groups import is_in_group
from tenants.context import NoTenant
from tenants.models import GroupNesting
from tests.cast import Acme, Beta, make_group


def test_a_member_of_an_inner_group_is_in_every_outer_one(acme: Acme) -> None:
    with acme.inside():
        groups = [make_group("level 0", members=(acme.alice,))]
        for level in range(1, 30):
            groups.append(make_group(f"level {level}", inner=(groups[-1],)))
        beside = make_group("beside", members=(acme.bob,), inner=())

        assert all(is_in_group(acme.alice.pk, group.pk) for group in groups)
        assert not any(is_in_group(acme.bob.pk, group.pk) for group in groups)
        assert not is_in_group(acme.alice.pk, beside.pk)
        assert not is_in_group(acme.eve.pk, beside.pk)


def test_being_in_the_outer_group_does_not_make_one_inner(acme: Acme) -> None:
    with acme.inside():
        inner = make_group("inner")
        outer = make_group("outer", members=(acme.alice,), inner=(inner,))

        assert is_in_group(acme.alice.pk, outer.pk)
        assert not is_in_group(acme.alice.pk, inner.pk)


def test_a_circle_of_groups_ends(acme: Acme) -> None:
    with acme.inside():
        first = make_group("first", members=(acme.alice,))
        second = make_group("second", inner=(first,))
        third = make_group("third", inner=(second, first))
        GroupNesting.objects.create(parent=first, child=third)
        outside = make_group("outside")

        assert is_in_group(acme.alice.pk, third.pk)
        assert is_in_group(acme.alice.pk, second.pk)
        assert not is_in_group(acme.alice.pk, outside.pk)
        assert not is_in_group(acme.bob.pk, first.pk)


def test_another_tenants_people_and_groups_are_in_nothing_here(acme: Acme, beta: Beta) -> None:
    with beta.inside():
        theirs = make_group("theirs", members=(beta.alice,))
    with acme.inside():
        ours = make_group("ours", members=(acme.alice,))
        assert not is_in_group(beta.alice.pk, theirs.pk)
        assert not is_in_group(acme.alice.pk, theirs.pk)
        assert not is_in_group(beta.alice.pk, ours.pk)
    with beta.inside():
        assert is_in_group(beta.alice.pk, theirs.pk)


def test_without_a_tenant_nobody_is_asked_for(acme: Acme) -> None:
    with pytest.raises(NoTenant):
        is_in_group(acme.alice.pk, acme.alice.pk)
