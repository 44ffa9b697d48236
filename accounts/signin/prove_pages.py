"""What a page of a proof shows. Reads, never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenants.context import tenant_context
from tenants.limits import TRIES_PER_CHALLENGE
from tenants.pages import clock

from ..methods import words
from ..methods.registry import get_method
from ..models import ProofChallenge
from ..questions import question_text
from ..sending import resend_time
from .asking import Asking, asked_of, find_pending
from .proving import Prover

_TEMPLATES = {
    "choose": "signin/choose.html",
    "code": "signin/code.html",
    "questions": "signin/questions.html",
    "assertion": "signin/elsewhere.html",
    "approval": "signin/elsewhere.html",
    "redirect": "signin/elsewhere.html",
}
_PAGES = {"code": "code", "answers": "questions"}


@dataclass(frozen=True)
class Choice:
    """One way to prove it, with the masked contact a code would go to."""

    key: str
    channels: Sequence[str]
    hint: str


@dataclass(frozen=True)
class ProofPage:
    """page: choose, code, questions, assertion, approval, redirect. Without choices there is
    nothing to prove."""

    page: str
    choices: Sequence[Choice]
    pending: ProofChallenge | None
    prompt: Mapping[str, Any]

    @property
    def template(self) -> str:
        return _TEMPLATES[self.page]

    @property
    def action(self) -> str:
        """Name of the address its form goes to."""
        return "prove-choose" if self.pending is None else "prove-verify"

    @property
    def reference(self) -> str:
        return self.pending.reference if self.pending is not None else ""

    @property
    def sent(self) -> bool:
        return self.pending is not None and bool(self.pending.channel)

    def values(self, now: datetime, *, resend_url: str) -> dict[str, Any]:
        """What the template is given beside the common part."""
        if self.pending is None:
            return {"methods": [_option(n, each) for n, each in enumerate(self.choices)]}
        found: dict[str, Any] = {
            "method": self.pending.method,
            "channel": self.pending.channel,
            "prompt": self.prompt,
            "hint": next((c.hint for c in self.choices if c.key == self.pending.method), ""),
            "tries_left": max(0, TRIES_PER_CHALLENGE - self.pending.tries),
            "ends_at": clock(self.pending.expires_at),
            "questions": [
                {"name": f"answer_{number}", "text": question_text(key), "value": ""}
                for number, key in enumerate(self.pending.questions, start=1)
            ],
            "asks": self.page,
            "partial": f"portal/_{self.page}_form.html",
        }
        if self.sent:
            found |= _resending(self.pending, now, resend_url)
        return found


def read_page(prover: Prover, *, now: datetime, choose_again: bool = False) -> ProofPage:
    """The page as it stands; `choose_again` leaves a proof that waits aside."""
    with tenant_context(prover.tenant):
        asking = prover.asking(now)
        choices = [
            Choice(key, asking.channels(key) or (), row.hint) for key, row in asking.ways.items()
        ]
        pending = None if choose_again else find_pending(asking, expired=True)
        if pending is None or pending.method not in asking.ways:
            return ProofPage("choose", choices, None, {})
        method = get_method(pending.method)
        page = _PAGES.get(method.asks, method.asks)
        return ProofPage(page, choices, pending, _prompt(asking, pending))


def _prompt(asking: Asking, pending: ProofChallenge) -> Mapping[str, Any]:
    return get_method(pending.method).prompt(asking.own, asked_of(pending), asking.context)


def _option(number: int, choice: Choice) -> dict[str, Any]:
    return {
        "key": choice.key,
        "label": words.label(choice.key),
        "description": words.description(choice.key, choice.channels),
        "hint": choice.hint,
        "channels": choice.channels,
        "checked": number == 0,
    }


def _resending(pending: ProofChallenge, now: datetime, resend_url: str) -> dict[str, Any]:
    again_at = resend_time(pending.sends, pending.sent_at)
    wait = (again_at - now).total_seconds() if again_at is not None else 0
    return {
        "expires_at": clock(pending.expires_at),
        "resend_url": resend_url if again_at is not None else "",
        "resend_in": max(0, int(wait)),
        "resend_at": clock(again_at),
    }
