"""Making an agent known: a code from the administration, once, and six words to compare."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from . import VERSION
from .beats import PROTOCOL
from .client import Answer, Client, NoAnswer, Speaker, TurnedAway
from .config import Config
from .identity import Identity, encoded, is_enrolled, public_key, read_signers
from .journal import Journal, JournalInUse
from .run import JOURNAL, KEYS

LONGEST_CODE = 200


class NotPossible(Exception):
    """Why this agent could not be enrolled, and what to do."""


def enrol(config: Config, code: str, now: Callable[[], datetime], replace: bool) -> Identity:
    """A new identity, saved once the product has taken it. replace: instead of the one that is
    here. Raises NotPossible; what was here is untouched then."""
    if not code or len(code) > LONGEST_CODE or not code.isprintable():
        raise NotPossible("that is no code; copy it whole from the administration")
    state = _made_ready(config.state)
    if is_enrolled(state) and not replace:
        raise NotPossible(f"{state}: an agent is enrolled here; --replace makes a new one of it")
    try:
        journal = Journal(state / JOURNAL)
    except JournalInUse:
        raise NotPossible("the agent is running; stop it first") from None
    try:
        private = Ed25519PrivateKey.generate()
        identity = _identity(_asked(config, private, code, now), private)
        _put_away(journal, state, now)
        identity.save(state)
    finally:
        journal.close()
    return identity


def _asked(
    config: Config, private: Ed25519PrivateKey, code: str, now: Callable[[], datetime]
) -> Answer:
    body = {
        "code": code,
        "identity": encoded(private.public_key().public_bytes_raw()),
        "name": config.name,
        "version": VERSION,
        "protocol": PROTOCOL,
    }
    try:
        client = Client(config.product, Speaker(private), now, config.ca_file, config.proxy)
    except OSError as error:
        raise NotPossible(f"{config.ca_file}: {error.strerror or error}") from None
    try:
        answer = client.call("/enrol", body)
    except NoAnswer as error:
        raise NotPossible(f"{config.product}: {error}") from None
    except TurnedAway as refusal:
        if refusal.cause == "code":
            raise NotPossible("the code is used, wrong or over; get a new one") from None
        raise NotPossible(f"{config.product} refuses: {refusal.cause}") from None
    finally:
        client.close()
    if answer.status != 201:
        raise NotPossible(f"{config.product} refuses: status {answer.status}")
    return answer


def _identity(answer: Answer, private: Ed25519PrivateKey) -> Identity:
    """What the product said, with its keys pinned from now on."""
    body: Any = answer.body
    try:
        identity = Identity(
            agent=UUID(body["agent"]),
            tenant=UUID(body["tenant"]),
            group=UUID(body["group"]),
            private=private,
            signers=read_signers(body["signers"].values()),
            api=public_key(body["api"]),
        )
        words = tuple(body["words"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotPossible("this is no answer of the product") from None
    if words != identity.words():
        raise NotPossible("the product has another key than this agent's: somebody is in between")
    return identity


def _made_ready(state: Path) -> Path:
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.chmod(0o700)
    except OSError as error:
        raise NotPossible(f"{state}: {error.strerror}") from None
    return state


def _put_away(journal: Journal, state: Path, now: Callable[[], datetime]) -> None:
    """Keys of an earlier identity are removed. Its journal is kept, and if it can't be believed,
    beside a new one."""
    if journal.is_damaged:
        (state / JOURNAL).rename(state / f"{JOURNAL}.damaged-{int(now().timestamp())}")
    shutil.rmtree(state / KEYS, ignore_errors=True)
