"""What would happen if this person tried to reset now, told in words on the person's page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.admin import add_page
from accounts.models import User
from tenants.admin import Section
from tenants.admin.base import as_list, as_words
from tenants.admin.intents import RowPage

from .admin_words import REASONS
from .eligibility import HOME_TENANT
from .explain import explain

HOME_DECIDES = (
    "The policy of the home organisation decides. What it says is not shown here, because it is "
    "another organisation's."
)
_POLICIES = {
    "tenant": "The organisation's reset policy",
    "administrator": "The fixed policy of administrators",
    HOME_TENANT: "The home organisation's policy",
}
_NEXT = {
    "prove_identity": "The person is asked to prove who they are.",
    "contact_administrator": "The person is told to contact an administrator.",
    "wait": "The person is told to wait.",
    "try_later": "The person is told to try again later.",
    "use_own_service": "The person is sent to the recovery of their own service.",
}


def what_would_happen(request: HttpRequest, user: User, context: dict[str, Any]) -> HttpResponse:
    """The page. A partner's guest is answered without asking the other organisation."""
    if user.origin == User.Origin.PARTNER:
        told: dict[str, Any] = {
            "sentence": HOME_DECIDES,
            "facts": [("Home organisation", user.home or "–")],
            "sections": [],
        }
    else:
        told = _told(explain(user.user_id, tenant=user.tenant_id, now=timezone.now()))
    return TemplateResponse(request, "admin/told.html", {**context, **told})


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    reason = answer["reason"]
    if reason is None:
        required = answer["gates_required"]
        sentence = f"The person may reset, with {required} of the methods below."
    else:
        sentence = f"The person may not reset: {REASONS.get(reason, reason)} ({reason})."
    facts = [
        ("Policy that holds", _POLICIES.get(answer["policy"], answer["policy"])),
        ("Proofs required", answer["gates_required"]),
        ("Methods that can be used", as_list(answer["methods"])),
        ("Registered", as_list(answer["registered"])),
        ("Proofs these make together", answer["counted"]),
        ("What is offered", as_list(answer["operations"])),
        ("What happens next", _NEXT.get(answer["next_step"], as_words(answer["next_step"]))),
    ]
    if answer["writeback"]:
        facts.append(("Way to the directory", as_words(answer["writeback"])))
    notes = [(note,) for note in answer["notes"]]
    sections = [Section("Notes", ("Note",), notes, empty="Nothing to note.")]
    return {"sentence": sentence, "facts": facts, "sections": sections}


def extend() -> None:
    """Adds the page to every person."""
    add_page(RowPage("what-would-happen", "What would happen", what_would_happen))
