"""Whose jobs an agent believes after the product's signer was replaced."""

import base64
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.writeback.agent.host import Host, end, hand_out, make_job, wait_for_report
from writeback.agent.identity import Identity, load_identity
from writeback.agent.signers import MOST, Signers, with_successors
from writeback.protocol import key_id, successor_text

FIRST, SECOND, THIRD, STRANGER = (Ed25519PrivateKey.generate() for _ in range(4))


def name(
    by: Ed25519PrivateKey, key: Ed25519PrivateKey, text: bytes | None = None
) -> dict[str, str]:
    """How `by` names a key. text: what it signs instead."""
    public = key.public_key().public_bytes_raw()
    signature = by.sign(successor_text(public) if text is None else text)
    return {
        "key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(signature).decode(),
    }


def ids(*keys: Ed25519PrivateKey) -> set[str]:
    return {key_id(key.public_key()) for key in keys}


KNOWN = {key_id(FIRST.public_key()): FIRST.public_key()}


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    made = Identity(UUID(int=1), UUID(int=2), UUID(int=3), STRANGER, KNOWN, THIRD.public_key())
    made.save(tmp_path)
    return made


@pytest.mark.parametrize(
    ("found", "known"),
    [
        ([], (FIRST,)),
        ([name(FIRST, SECOND)], (FIRST, SECOND)),
        ([name(FIRST, SECOND), name(SECOND, THIRD)], (FIRST, SECOND, THIRD)),
        ([name(SECOND, THIRD), name(FIRST, SECOND)], (FIRST, SECOND, THIRD)),
        ([name(FIRST, FIRST)], (FIRST,)),
        ([name(SECOND, THIRD)], (FIRST,)),
        ([name(STRANGER, STRANGER)], (FIRST,)),
        ([name(FIRST, SECOND, SECOND.public_key().public_bytes_raw())], (FIRST,)),
        ([name(FIRST, SECOND) | {"key": name(FIRST, THIRD)["key"]}], (FIRST,)),
        (["x", {}, {"key": 1, "signature": 2}, name(FIRST, SECOND)], (FIRST, SECOND)),
        ([{"key": "", "signature": ""}], (FIRST,)),
        ({"key": "a"}, (FIRST,)),
        ("x", (FIRST,)),
        (None, (FIRST,)),
    ],
)
def test_a_signer_is_known_when_one_that_is_known_named_it(
    found: Any, known: tuple[Ed25519PrivateKey, ...]
) -> None:
    assert set(with_successors(KNOWN, found)) == ids(*known)


def test_no_more_signers_are_known_than_an_agent_can_look_through() -> None:
    many = [name(FIRST, Ed25519PrivateKey.generate()) for _ in range(2 * MOST)]

    assert len(with_successors(KNOWN, many)) == MOST


def test_a_signer_that_was_named_is_known_at_once_and_after_a_restart(
    identity: Identity, tmp_path: Path
) -> None:
    signers = Signers(identity, tmp_path)
    keys = signers.keys

    signers.hear([name(FIRST, SECOND)])
    signers.hear(None)

    assert set(keys) == ids(FIRST, SECOND)
    kept = load_identity(tmp_path)
    assert set(kept.signers) == ids(FIRST, SECOND)
    assert (kept.agent, kept.api) == (identity.agent, identity.api)


def test_a_signer_that_can_not_be_kept_is_known_until_the_agent_ends(
    identity: Identity, tmp_path: Path
) -> None:
    signers = Signers(identity, tmp_path / "gone")

    signers.hear([name(FIRST, SECOND)])

    assert set(signers.keys) == ids(FIRST, SECOND)
    assert set(load_identity(tmp_path).signers) == ids(FIRST)


def test_jobs_of_a_signer_that_was_replaced_while_the_agent_was_away_are_done(host: Host) -> None:
    assert end(host.run()) == 0
    host.product.replace_signer()
    host.product.replace_signer()
    process, first = host.run(), make_job()
    hand_out(host, first)
    wait_for_report(host, first, "succeeded")
    assert end(process) == 0

    host.product.named.clear()
    host.run()
    hand_out(host, verify := make_job(2, "verify"))

    assert wait_for_report(host, verify, "succeeded")["answer"] == "wrong"


def test_jobs_of_a_signer_that_nobody_named_are_refused(host: Host) -> None:
    process = host.run()
    host.product.replace_signer()
    host.product.named.clear()
    hand_out(host, job := make_job())

    assert wait_for_report(host, job, "failed")["cause"] == "unknown_signer"
    assert (end(process), host.sets) == (0, 0)
