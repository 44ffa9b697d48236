"""The signer's keys: how a pair is made, and how agents that are enrolled hear of the next one."""

import base64
from io import StringIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from tests.writeback.field import SIGNER, FieldAgent
from writeback.agent.signers import with_successors
from writeback.keys import written
from writeback.protocol import key_id

NEXT = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KNOWN = {key_id(SIGNER.public_key()): SIGNER.public_key()}


@pytest.fixture
def at_signer(settings: Any) -> None:
    """As in the signer's own process."""
    settings.SSPR_SIGNER_KEY = base64.b64encode(SIGNER.private_bytes_raw()).decode()


def said(*arguments: str) -> dict[str, str]:
    """What the command prints: settings, by their names."""
    out = StringIO()
    call_command("signer", *arguments, stdout=out)
    return dict(line.split("=", 1) for line in out.getvalue().splitlines())


def test_a_new_pair_of_keys_belongs_together() -> None:
    made = said("--new-key")

    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(made["SSPR_SIGNER_KEY"]))
    assert made["SSPR_SIGNER_PUBLIC_KEYS"] == written(private.public_key())
    assert said("--new-key") != made


@pytest.mark.usefixtures("at_signer")
def test_an_agent_hears_of_the_next_signer_and_believes_it(
    agent: FieldAgent, settings: Any
) -> None:
    assert agent.beat().body["signers"] == []
    named = said("--name-successor", written(NEXT.public_key()))
    settings.SSPR_SIGNER_SUCCESSORS = (named["SSPR_SIGNER_SUCCESSORS"],)

    heard = agent.beat()

    assert (heard.status, heard.signed) == (200, True)
    known = with_successors(KNOWN, heard.body["signers"])
    assert known.keys() == KNOWN.keys() | {key_id(NEXT.public_key())}


@pytest.mark.usefixtures("at_signer")
@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("no key", "no public key"),
        ("QUJD", "no public key"),
        (written(SIGNER.public_key()), "signs now"),
    ],
)
def test_what_can_not_come_after_the_signer_is_not_named(key: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        said("--name-successor", key)


def test_only_the_signer_names_another_one() -> None:
    with pytest.raises(CommandError, match="SSPR_SIGNER_KEY is not set"):
        said("--name-successor", written(NEXT.public_key()))
