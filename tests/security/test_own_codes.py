"""A-038, A-047, A-055, A-121: backup codes, and passes that the help desk issues."""

import re
from functools import partial

from accounts.models import Credential
from tests.cast import NEW_PASSWORD, make_person
from tests.credentials import give_backup_codes, give_pass
from tests.resets.walks import not_it
from tests.security.lab.client import Answer, Browser
from tests.security.lab.lab import Lab

METHODS = ["email", "app_code", "backup_codes", "temporary_access_pass"]
PASS = re.compile(r"[2-9A-Z]{5}-[2-9A-Z]{5}")
DESK = "/admin/accounts/user/"


def is_wrong(answer: Answer) -> bool:
    """The page again, with what such codes are told."""
    return answer.status == 200 and "That is not right" in answer.text


def _one_method(lab: Lab) -> None:
    lab.policy(methods=METHODS, methods_required=1)


def _codes(lab: Lab) -> list[str]:
    """A new set of bob's."""
    with lab.acme.inside():
        codes = give_backup_codes(lab.acme.bob)
    lab.keep_secret(*codes)
    return codes


def _at(lab: Lab, method: str) -> Browser:
    person = lab.begun(lab.acme.bob.user_id)
    person.choose(method)
    return person


def test_a038_a_backup_code_is_right_once(lab: Lab) -> None:
    _one_method(lab)
    codes = _codes(lab)
    first, second = _at(lab, "backup_codes"), _at(lab, "backup_codes")

    first.verify(codes[0].lower())
    wrong = second.verify(codes[0])

    assert lab.gates(first) == ["backup_codes"]
    assert is_wrong(wrong)
    assert lab.gates(second) == []
    second.verify(codes[1])
    assert lab.gates(second) == ["backup_codes"]


def test_a038_of_twenty_uses_at_once_one_wins(lab: Lab) -> None:
    _one_method(lab)
    [code, *_] = _codes(lab)
    journeys = [_at(lab, "backup_codes") for _ in range(5)]

    def use(person: Browser) -> Answer:
        return person.twin().post(f"{person.flow_path}verify/", {"code": code}, follow=False)

    lab.at_once([partial(use, person) for person in journeys * 4])

    assert sorted(lab.gates(person) for person in journeys) == [[]] * 4 + [["backup_codes"]]


def test_a038_the_old_set_is_void_once_there_is_a_new_one(lab: Lab) -> None:
    _one_method(lab)
    old, new = _codes(lab), _codes(lab)
    person = _at(lab, "backup_codes")

    wrong = person.verify(old[0])

    assert is_wrong(wrong)
    person.verify(new[0])
    assert lab.gates(person) == ["backup_codes"]


def _help_desk(lab: Lab) -> Browser:
    """Somebody of the help desk, signed in to the administration."""
    with lab.acme.inside():
        desk = make_person("desk", lab.acme.domain, roles=["helpdesk_administrator"])
    return lab.signed_in(desk)


def _asked(desk: Browser, lab: Lab, page: str, **fields: str) -> Answer:
    path = f"{DESK}{lab.acme.bob.pk}/{page}/"
    desk.get(path)
    return desk.post(path, {"reason": "Known by voice", **fields}, follow=False)


def _issued(desk: Browser, lab: Lab, minutes: str = "30") -> str:
    answer = _asked(desk, lab, "issue-pass", minutes=minutes)
    assert answer.status == 200
    [found] = PASS.findall(answer.text)
    lab.keep_secret(found, found.replace("-", ""))
    return str(found)


def test_a047_a_pass_is_shown_once_works_once_and_the_person_is_told(lab: Lab) -> None:
    _one_method(lab)
    desk = _help_desk(lab)

    issued = _issued(desk, lab)

    for page in ("issue-pass/", "change/", ""):
        assert issued not in desk.get(f"{DESK}{lab.acme.bob.pk}/{page}" if page else DESK).text
    told = [message for message in lab.messages() if message["kind"] == "pass_issued"]
    assert len(told) == 1
    assert issued not in repr(told)
    [event] = lab.trail(type="pass.issued")
    assert (event.reason, event.target_id) == ("Known by voice", lab.acme.bob.pk)
    first, second = (_at(lab, "temporary_access_pass") for _ in "12")
    first.verify(issued)
    assert lab.gates(first) == ["temporary_access_pass"]
    assert is_wrong(second.verify(issued))
    first.submit(NEW_PASSWORD)
    assert first.state == "done"


def test_a047_the_help_desk_gives_no_pass_for_longer_to_itself_or_to_those_above(lab: Lab) -> None:
    desk = _help_desk(lab)

    assert PASS.search(_asked(desk, lab, "issue-pass", minutes="61").text) is None
    with lab.acme.inside():
        own = lab.acme.carol.__class__.objects.get(user_id=f"desk@{lab.acme.domain}")
    for other in (lab.acme.carol, own):
        path = f"{DESK}{other.pk}/issue-pass/"
        answer = desk.post(path, {"reason": "x", "minutes": "30"}, follow=False)
        assert answer.status == 403
    with lab.acme.inside():
        assert not Credential.objects.exists()


def test_a047_the_help_desk_removes_a_lost_method_and_sets_and_reads_nothing(lab: Lab) -> None:
    desk = _help_desk(lab)
    bob = lab.acme.bob
    page = desk.get(f"{DESK}{bob.pk}/remove-method/")
    app = next(
        value
        for form in page.page.forms
        for value in form.choices.get("thing", ())
        if value.startswith("device:")
    )

    removed = _asked(desk, lab, "remove-method", thing=app)

    assert removed.status == 302
    told = [message for message in lab.messages() if message["kind"] == "method_changed"]
    assert len(told) == 1
    [event] = lab.trail(type="method.removed")
    assert (event.actor_kind, event.reason) == ("administrator", "Known by voice")
    person = lab.begun(bob.user_id)
    assert person.state != "proving"
    shown = desk.get(f"{DESK}{bob.pk}/change/").text
    assert 'type="password"' not in shown
    # Codes that are on their way are seen by nobody but their owner.
    assert "Authenticator app" not in shown


def test_a055_the_help_desk_lets_a_locked_out_person_in_with_a_pass(lab: Lab) -> None:
    _one_method(lab)
    bob = lab.acme.bob
    thief = _at(lab, "app_code")
    for _ in range(5):
        thief.verify(not_it(lab.app_code(bob)))
    assert lab.begun(bob.user_id).state == "locked"
    desk = _help_desk(lab)

    _asked(desk, lab, "lift")
    issued = _issued(desk, lab)
    person = _at(lab, "temporary_access_pass")
    person.verify(issued)
    person.submit(NEW_PASSWORD)

    assert person.state == "done"
    assert lab.password_is(bob, NEW_PASSWORD)


def test_a121_a_reset_voids_a_pass_that_is_out(lab: Lab) -> None:
    _one_method(lab)
    bob = lab.acme.bob
    with lab.acme.inside():
        from django.utils import timezone

        issued = give_pass(bob, timezone.now(), once=False)
    lab.keep_secret(issued)
    waiting, person = _at(lab, "temporary_access_pass"), _at(lab, "app_code")

    person.verify(lab.app_code(bob))
    person.submit(NEW_PASSWORD)

    assert person.state == "done"
    waiting.verify(issued)
    assert lab.gates(waiting) == []
    with lab.acme.inside():
        assert not Credential.objects.filter(user=bob).exists()
