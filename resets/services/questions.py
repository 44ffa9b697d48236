"""Which security questions are asked: a random subset, drawn anew after each wrong try."""

import secrets
from collections.abc import Sequence

from accounts.methods.questions import draw, usable_questions
from accounts.questions import PREDEFINED
from tenants.keys import tenant_keys

from ..models import Flow
from .standing import Standing

_sample = secrets.SystemRandom().sample


def draw_questions(standing: Standing, flow: Flow) -> list[str]:
    """Question keys to ask now. A decoy is asked from a set that stays the same for its user ID."""
    rules = standing.situation.rules
    registered: Sequence[str] = ()
    if standing.own is not None:
        registered = usable_questions(standing.own, standing.method_context())
    if len(registered) < rules.questions_to_reset:
        registered = _decoy_set(flow, max(rules.questions_to_register, rules.questions_to_reset))
    return draw(list(registered), rules.questions_to_reset, _sample)


def _decoy_set(flow: Flow, count: int) -> Sequence[str]:
    person, keys = bytes(flow.person_key).hex(), tenant_keys()
    return sorted(PREDEFINED, key=lambda key: keys.mac("decoy questions", person, key))[:count]
