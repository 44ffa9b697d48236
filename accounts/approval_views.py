"""The approver's page: who asks, from where, and two buttons. Nobody signs in for it; a mail
scanner that opens the link decides nothing."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from tenants.fields import BadForm, read_fields
from tenants.pages import address_of, clock, host_tenant, page_context

from .approvals import Question, decide, find_question

MAX_REFERENCE = 40


@require_http_methods(["GET", "HEAD", "POST"])
def approve(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    question = find_question(token, now=now)
    if request.method != "POST":
        return _question_page(request, question, {}) if question else _over_page(request)
    fields = read_fields(request, ("decision", "reference"))
    if len(fields["reference"]) > MAX_REFERENCE or fields["decision"] not in {"", "yes", "no"}:
        raise BadForm("nothing that the page offers")
    if question is None:
        return _over_page(request)
    # Enter in the field sends the first button.
    approves = fields["decision"] != "no"
    if approves and not fields["reference"].strip():
        errors = {"reference": _("Type the reference that they told you")}
        return _question_page(request, question, errors)
    outcome, left = decide(
        token, fields["reference"], approve=approves, address=address_of(request), now=now
    )
    if outcome == "wrong" and left:
        text = ngettext(
            "That is not the reference on their page. You have %(left)s try left",
            "That is not the reference on their page. You have %(left)s tries left",
            left,
        )
        return _question_page(request, question, {"reference": text % {"left": left}})
    if outcome in {"wrong", "over"}:
        return _over_page(request)
    context = page_context(request, question.tenant, state=outcome, decision=outcome)
    return render(request, "approval/answered.html", context)


def _question_page(
    request: HttpRequest, question: Question, errors: Mapping[str, Any]
) -> HttpResponse:
    context = page_context(
        request,
        question.tenant,
        state="approval",
        errors=errors,
        name=question.name,
        user_id=question.user_id,
        address=question.address,
        asked_at=clock(question.asked_at),
        ends_at=clock(question.ends_at),
    )
    return render(request, "approval/question.html", context)


def _over_page(request: HttpRequest) -> HttpResponse:
    context = page_context(request, host_tenant(request), state="over")
    return render(request, "approval/over.html", context, status=410)
