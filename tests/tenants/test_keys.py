"""What is sealed opens in its own place only; what is derived is stable and bound to its parts."""

import base64
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

import tenants.keys
from accounts.models import AuthenticatorDevice, ContactPoint
from tenants import keys
from tenants.context import NoTenant
from tenants.keys import (
    SealBroken,
    TenantKeys,
    binding,
    forget_keys,
    installation_mac,
    new_wrapped_key,
    tenant_keys,
    unwrap_key,
)
from tenants.models import TenantKey
from tests.cast import ALICE_EMAIL, Acme, Beta, give_app, give_email, seed_of

OLD = TenantKeys(uuid4(), 1, {1: bytes(range(32))})
NEW = TenantKeys(OLD.tenant, 2, {**OLD.versions, 2: bytes(range(32, 64))})
PLACE = binding(OLD.tenant, "user", "email", "row")


def test_a_sealed_value_opens_where_it_was_sealed() -> None:
    sealed = OLD.seal("alice@example.net", PLACE)

    assert OLD.open_text(sealed, PLACE).reveal() == "alice@example.net"
    assert OLD.open(OLD.seal(b"\x00\xff", PLACE), PLACE).reveal() == b"\x00\xff"
    assert b"alice" not in sealed
    assert sealed != OLD.seal("alice@example.net", PLACE)


@pytest.mark.parametrize("part", range(4))
def test_it_does_not_open_in_another_place(part: int) -> None:
    parts: list[object] = [OLD.tenant, "user", "email", "row"]
    sealed = OLD.seal("x", binding(*parts))
    parts[part] = uuid4()

    with pytest.raises(SealBroken):
        OLD.open(sealed, binding(*parts))


@pytest.mark.parametrize("index", [0, 1, 2, 13, 14, -1])
def test_a_changed_byte_is_noticed_the_version_byte_too(index: int) -> None:
    sealed = bytearray(NEW.seal("x", PLACE))
    sealed[index] ^= 3

    with pytest.raises(SealBroken):
        NEW.open(bytes(sealed), PLACE)


@pytest.mark.parametrize(
    "sealed", [b"", b"\x01", b"\x01\x01", b"\x01\x01" + bytes(12), b"\x02" * 99]
)
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        OLD.open(sealed, PLACE)


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    before = OLD.seal("x", PLACE)
    after = NEW.seal("x", PLACE)

    assert (before[1], after[1]) == (1, 2)
    assert NEW.open_text(before, PLACE).reveal() == NEW.open_text(after, PLACE).reveal() == "x"
    with pytest.raises(SealBroken, match="gone"):
        OLD.open(after, PLACE)
    assert OLD.mac("contact", "a") == NEW.mac("contact", "a")
    assert OLD.code(b"n" * 16, PLACE).reveal() == NEW.code(b"n" * 16, PLACE).reveal()


def test_each_purpose_has_a_key_of_its_own() -> None:
    macs = {OLD.mac("contact", "a"), OLD.mac("anchor", "a"), installation_mac("contact", "a")}

    assert len(macs) == 3
    assert all(len(mac) == 32 for mac in macs)


def test_what_is_counted_over_all_tenants_derives_its_key_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    derived: list[str] = []
    real = keys._derive

    def derive(key: bytes, purpose: str) -> bytes:
        derived.append(purpose)
        return real(key, purpose)

    monkeypatch.setattr(keys, "_derive", derive)
    first = installation_mac("some purpose", "a")

    assert installation_mac("some purpose", "a") == first
    assert installation_mac("some purpose", "b") != first
    assert derived == ["installation:some purpose"]


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
def test_no_two_lists_of_parts_have_the_same_binding(first: list[str], second: list[str]) -> None:
    assert (binding(*first) == binding(*second)) is (first == second)


def test_the_end_of_one_part_is_not_the_start_of_the_next() -> None:
    assert binding("a\x1fb") != binding("a", "b")
    assert OLD.code(b"n\x1fm", b"x").reveal() != OLD.code(b"n", b"m\x1fx").reveal()


def test_a_code_is_the_same_each_time_and_another_for_every_changed_part() -> None:
    parts: list[object] = [OLD.tenant, uuid4(), uuid4(), "email", uuid4()]
    nonce = b"n" * 16
    code = OLD.code(nonce, binding(*parts)).reveal()
    assert code == OLD.code(nonce, binding(*parts)).reveal()

    others = [OLD.code(b"m" * 16, binding(*parts))]
    for index in range(len(parts)):
        changed = [*parts[:index], uuid4(), *parts[index + 1 :]]
        others.append(OLD.code(nonce, binding(*changed)))
    others.append(TenantKeys(OLD.tenant, 1, {1: bytes(32)}).code(nonce, binding(*parts)))

    # One in a million each would be the same by chance; two of seven never.
    assert sum(other.reveal() == code for other in others) <= 1


def test_the_digits_of_codes_are_spread_evenly() -> None:
    codes = [OLD.code(number.to_bytes(16, "big"), PLACE).reveal() for number in range(6000)]

    assert all(len(code) == 6 and code.isascii() and code.isdigit() for code in codes)
    assert len(set(codes)) > 5900
    for place in range(6):
        seen = Counter(code[place] for code in codes)
        # Chi-square with nine degrees of freedom; the codes are fixed, so this never flickers.
        assert sum((seen[digit] - 600) ** 2 / 600 for digit in "0123456789") < 28


def test_keys_are_not_in_what_is_printed() -> None:
    assert repr(NEW.versions[1]) not in repr(NEW)
    assert "versions" not in repr(NEW)
    NEW.mac("contact", "a")
    assert "_derived" not in repr(NEW), "nor are those that were made of them"
    assert "hidden" in repr(OLD.code(b"n", PLACE))


def test_a_wrapped_key_opens_for_its_tenant_version_and_master_key_only(settings: Settings) -> None:
    tenant = uuid4()
    wrapped = new_wrapped_key(tenant, 1)
    assert len(unwrap_key(memoryview(wrapped), tenant, 1)) == 32  # type: ignore[arg-type]  # as read from a row

    for other, version in ((uuid4(), 1), (tenant, 2)):
        with pytest.raises(SealBroken):
            unwrap_key(wrapped, other, version)
    settings.SSPR_MASTER_KEY = base64.b64encode(b"another master key, just as long").decode()
    with pytest.raises(SealBroken) as raised:
        unwrap_key(wrapped, tenant, 1)
    assert settings.SSPR_MASTER_KEY not in str(raised.value)


def test_a_tenant_without_a_key_seals_nothing(acme: Acme) -> None:
    forget_keys()
    with acme.inside():
        TenantKey.objects.all().delete()
        with pytest.raises(SealBroken, match="no key"):
            tenant_keys()


@pytest.mark.django_db
def test_keys_belong_to_the_tenant_in_force(acme: Acme, beta: Beta) -> None:
    with acme.inside():
        ours = tenant_keys()
    with beta.inside():
        theirs = tenant_keys()
        with pytest.raises(SealBroken):
            theirs.open(ours.seal("x", PLACE), PLACE)
    with pytest.raises(NoTenant):
        tenant_keys()


def test_keys_are_kept_for_a_quarter_of_an_hour_and_a_rotation_is_seen_after_it(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("tenants.keys.time.monotonic", lambda: clock[0])
    forget_keys()
    with acme.inside():
        first = tenant_keys()
        TenantKey.objects.create(version=2, wrapped=new_wrapped_key(acme.id, 2))
        clock[0] = 899.0
        assert tenant_keys() is first
        clock[0] = 901.0
        assert (first.current, tenant_keys().current) == (1, 2)
    forget_keys()


def test_a_contact_moved_to_another_row_kind_user_or_tenant_does_not_open(
    acme: Acme, beta: Beta
) -> None:
    with acme.inside():
        alices = ContactPoint.objects.get(user=acme.alice, kind="alternate_email")
        bobs = ContactPoint.objects.get(user=acme.bob, kind="alternate_email")
        assert alices.read().reveal() == ALICE_EMAIL
        bobs.sealed = alices.sealed
        bobs.save()
        bobs.refresh_from_db()
        with pytest.raises(SealBroken):
            bobs.read()
        for name, value in (("kind", "primary_email"), ("user_id", acme.bob.pk), ("id", uuid4())):
            moved: Any = ContactPoint.objects.get(pk=alices.pk)
            setattr(moved, name, value)
            with pytest.raises(SealBroken):
                moved.read()
    with beta.inside():
        theirs = ContactPoint(id=alices.id, user_id=alices.user_id, kind=alices.kind)
        theirs.tenant_id, theirs.sealed = beta.id, alices.sealed
        with pytest.raises(SealBroken):
            theirs.read()


def test_a_seed_moved_to_another_device_does_not_open(acme: Acme) -> None:
    with acme.inside():
        give_app(acme.eve)
        alices = AuthenticatorDevice.objects.get(user=acme.alice)
        eves = AuthenticatorDevice.objects.get(user=acme.eve)
        assert alices.read_seed().reveal() == seed_of(acme.alice)
        eves.sealed_seed = alices.sealed_seed
        with pytest.raises(SealBroken):
            eves.read_seed()


def test_the_same_contact_is_found_again_in_its_tenant_and_looks_different_in_another(
    acme: Acme, beta: Beta
) -> None:
    with acme.inside():
        first = give_email(acme.eve, "Shared+tag@example.net")
        second = ContactPoint(user=acme.eve, kind="primary_email")
        second.write("shared@example.net", "shared@example.net")
    with beta.inside():
        theirs = ContactPoint(user=beta.bob, kind="primary_email")
        theirs.write("shared@example.net", "shared@example.net")

    assert bytes(first.lookup) == bytes(second.lookup) != bytes(theirs.lookup)


# Values of an installation as they stand in its database: they open after every update.
MASTER = base64.b64encode(b"key of the tests and of nobody!!").decode()
SEALED = "0101000000000000000000000000d606f5bf0e8247bbdf63f03f89dc097e397c30b7ca"
WRAPPED = (
    "01010000000000000000000000000efb9f581dc98e0e16928c8fe891f0528502822801"
    "0ca1e2c8ab18c37d35017d69f74cccd4d338a3a0ed6ca2264f4bfe"
)


def test_what_an_installation_keeps_is_understood_by_the_next_version(settings: Settings) -> None:
    settings.SSPR_MASTER_KEY = MASTER
    keys = TenantKeys(UUID(int=7), 1, {1: bytes(range(32))})

    assert binding("a", "bc") == b"\x00\x00\x00\x01a\x00\x00\x00\x02bc"
    assert keys.open_text(bytes.fromhex(SEALED), b"place").reveal() == "alice"
    assert unwrap_key(bytes.fromhex(WRAPPED), keys.tenant, 1) == bytes(32)
    assert new_wrapped_key(keys.tenant, 1)[:2] == b"\x01\x01"
    assert keys.mac("contact", "a").hex() == (
        "e3d2f67fc7477f68a6a1a2d0746ff210d672582d6ec2fa2483256b9c6f471a71"
    )
    assert installation_mac("counter", "a").hex() == (
        "1c94c9b3d4204e0dc495f4193c3e77a3229f232a60db0d81f8cd0dd64a6b914a"
    )
    assert keys.code(b"n" * 16, b"place").reveal() == "321750"


def test_a_key_of_a_purpose_is_derived_once_and_changes_nothing_about_the_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys, fresh = (TenantKeys(OLD.tenant, 1, {1: bytes(32)}) for _ in range(2))
    derive, purposes = tenants.keys._derive, list[str]()

    def noted(key: bytes, purpose: str) -> bytes:
        purposes.append(purpose)
        return derive(key, purpose)

    monkeypatch.setattr(tenants.keys, "_derive", noted)
    for _ in range(2):
        keys.mac("contact", "a")
        keys.code(b"n" * 16, PLACE)

    assert purposes == ["mac:contact", "code"]
    assert keys == fresh


def test_keys_are_read_anew_after_a_quarter_of_an_hour(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("tenants.keys.time.monotonic", lambda: clock[0])
    forget_keys()
    with acme.inside():
        first = tenant_keys()
        clock[0] += 899.9
        assert tenant_keys() is first
        clock[0] += 0.1
        second = tenant_keys()

    assert second is not first
    assert second == first
    forget_keys()
