"""The pages of `/sign-in/prove/`: a second factor, or a fresh proof before a change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields
from tenants.limits import MAX_ANSWER, MAX_ASSERTION
from tenants.pages import address_of, clock, page_context, site_of
from tenants.secret import Secret

from ..methods import words
from ..methods.base import Answer
from . import proving
from .asking import SECOND_FACTOR, STEP_UP
from .person import SignedIn, for_signed_in, note_proof
from .prove_pages import ProofPage, read_page
from .proving import ProofResult, Prover
from .services import session_hash
from .sessions import note_methods
from .stages import (
    address_of_sign_in,
    asked_next,
    needs_second_factor,
    next_address,
    own_page,
    register_page,
    with_next,
)

ANSWERS = tuple(f"answer_{number}" for number in range(1, 6))


@require_GET
@for_signed_in
def prove(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """What is asked for now, or the choice. Somebody with nothing to prove goes on."""
    now = timezone.now()
    prover = _prover(request, person)
    again = request.GET.get("other") == "1"
    if not again:
        proving.begin_without_choice(prover, now=now)
    page = read_page(prover, now=now, choose_again=again)
    if not page.choices:
        return _nothing_to_prove(request, person, prover, now)
    return _page(request, person, page, now, {})


@require_POST
@for_signed_in
def choose(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """Takes up a way."""
    fields = read_fields(request, ("method", "channel"))
    now, prover = timezone.now(), _prover(request, person)
    result = proving.choose(prover, fields["method"], fields["channel"], now=now)
    if result.kind == "ok":
        return _see_prove(request)
    page = read_page(prover, now=now, choose_again=True)
    if not page.choices:
        return _see_prove(request)
    if result.kind == "blocked":
        return _blocked(request, person, page, result, now)
    text = words.CHOOSE_CHANNEL if "channel" in result.fields else words.CHOOSE_METHOD
    return _page(request, person, page, now, {next(iter(result.fields), "method"): text})


@require_POST
@for_signed_in
def send(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """A new code for the way in hand."""
    read_fields(request, ())
    now, prover = timezone.now(), _prover(request, person)
    result = proving.send(prover, now=now)
    page = read_page(prover, now=now)
    if result.kind == "blocked" and page.choices:
        return _blocked(request, person, page, result, now)
    if result.kind == "missing" and page.choices:
        return _page(request, person, page, now, {"code": words.NO_MORE_CODES})
    return _see_prove(request)


@sensitive_post_parameters()
@sensitive_variables()
@require_POST
@for_signed_in
def verify(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """A code, answers, what a passkey signed, or the word that somebody decided elsewhere."""
    fields = read_fields(request, ("code", "assertion", *ANSWERS))
    if any(len(fields[name]) > MAX_ANSWER for name in ANSWERS):
        raise BadForm("an answer longer than any that was registered")
    if len(fields["assertion"]) > MAX_ASSERTION:
        raise BadForm("longer than anything a passkey signs")
    answers = [Secret(fields[name]) for name in ANSWERS]
    answer = Answer(Secret(fields["code"]), answers, Secret(fields["assertion"]))
    now, prover = timezone.now(), _prover(request, person)
    result = proving.verify(prover, answer, now=now)
    if result.kind == "ok":
        return _proved(request, person, result.method, now)
    if result.kind == "ended":
        request.session.flush()
        return HttpResponseRedirect(address_of_sign_in(""))
    page = read_page(prover, now=now)
    if result.kind == "gone" or not page.choices:
        return _see_prove(request)
    if result.kind == "blocked":
        return _blocked(request, person, page, result, now)
    status = 400 if result.kind == "malformed" or "code" in result.fields else 200
    return _page(request, person, page, now, _what_is_wrong(page, result), status=status)


def _proved(request: HttpRequest, person: SignedIn, method: str, now: datetime) -> HttpResponse:
    """A new key for the session, and back to where the proof was needed."""
    wanted = asked_next(request)
    note_proof(request, [method], now)
    try:
        request.session.cycle_key()
    except UpdateError:
        # It was ended meanwhile: by a reset, or by its owner somewhere else.
        request.session.flush()
        return HttpResponseRedirect(address_of_sign_in(wanted))
    with tenant_context(person.tenant.pk):
        note_methods(request.session.session_key, [method])
    # What was proved counts for the rest of this request, too.
    request.session.save()
    return _see(next_address(request, person.user, wanted, now))


def _what_is_wrong(page: ProofPage, result: ProofResult) -> Mapping[str, Any]:
    if page.page == "questions":
        if result.fields:
            return dict.fromkeys(result.fields, words.TYPE_ANSWERS)
        return {"answer_1": words.WRONG_ANSWERS}
    field = "method" if page.page == "choose" else "code"
    if page.page == "assertion" and result.kind in {"missing", "malformed"}:
        return {field: words.NO_ASSERTION}
    texts = {
        "waiting": words.NOT_YET,
        "late": words.LATE_CODE,
        "malformed": words.malformed(result.method),
        "missing": words.TYPE_CODE,
    }
    return {field: texts.get(result.kind, words.wrong(result.method, sent=page.sent))}


def _blocked(
    request: HttpRequest, person: SignedIn, page: ProofPage, result: ProofResult, now: datetime
) -> HttpResponse:
    """Too many codes or tries; another way may still be open."""
    until = result.until or now
    text = words.TOO_MANY_PROOFS if page.page != "choose" else words.TOO_MANY_CODES
    if not result.fields:
        text = words.WAIT_FOR_CODE
    field = {"choose": "method", "questions": "answer_1"}.get(page.page, "code")
    errors = {field: text % {"until": clock(until)}}
    response = _page(request, person, page, now, errors, status=429)
    response.headers["Retry-After"] = str(max(1, int((until - now).total_seconds())))
    return response


def _page(
    request: HttpRequest,
    person: SignedIn,
    page: ProofPage,
    now: datetime,
    errors: Mapping[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    wanted = asked_next(request)
    here = with_next(reverse("sign-in:prove"), wanted)
    other = f"{here}{'&' if '?' in here else '?'}other=1"
    context = page_context(
        request,
        person.tenant,
        state="prove",
        reference=page.reference,
        errors=errors,
        language_url=here,
        form_action=with_next(reverse(f"sign-in:{page.action}"), wanted),
        other_url=other if len(page.choices) > 1 and page.page != "choose" else "",
        out_url=reverse("sign-in:out"),
        user_id=person.user.user_id,
        **page.values(now, resend_url=with_next(reverse("sign-in:prove-send"), wanted)),
    )
    if not errors:
        context["tries_left"] = 0
    return render(request, page.template, context, status=status)


def _nothing_to_prove(
    request: HttpRequest, person: SignedIn, prover: Prover, now: datetime
) -> HttpResponse:
    wanted = asked_next(request)
    if prover.purpose == STEP_UP:
        return HttpResponseRedirect(next_address(request, person.user, wanted, now))
    context = page_context(
        request,
        person.tenant,
        state="nothing_to_prove",
        language_url=with_next(reverse("sign-in:prove"), wanted),
        register_url=with_next(register_page(), request.get_full_path()),
        out_url=reverse("sign-in:out"),
        own_url=own_page(),
    )
    return render(request, "signin/nothing_to_prove.html", context)


def _prover(request: HttpRequest, person: SignedIn) -> Prover:
    second = needs_second_factor(request, person.user, asked_next(request))
    return Prover(
        user=person.user,
        tenant=person.tenant.pk,
        session=session_hash(request),
        purpose=SECOND_FACTOR if second else STEP_UP,
        site=site_of(request),
        address=address_of(request),
        language=get_language() or person.user.language,
    )


def _see_prove(request: HttpRequest) -> HttpResponse:
    return _see(with_next(reverse("sign-in:prove"), asked_next(request)))


def _see(address: str) -> HttpResponse:
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response
