"""Everything a file can get wrong is told at once, at its line, and nothing is applied."""

import pytest

from tenants.context import tenant_context
from tenants.lookup import find_tenant, tenant_ids
from tenants.models import AuditEvent, Domain, Group, ResetPolicy, Tenant
from tenants.services import create_tenant
from tests.tenants.config.files import EXAMPLE, FABRIKAM, applied, apply

BASE = """\
[tenant]
slug = "contoso"
name = "Contoso"
domains = [{ name = "contoso.example" }]
"""
USER = BASE + '[[users]]\nid = "alice@contoso.example"\n'
GUEST = BASE + '[[guests]]\nid = "bob_x.example#EXT#@contoso.example"\n'
ANSWERS = "questions = [{ question = %s, answer = %s }, { question = %s, answer = %s }]\n"

REFUSALS: list[tuple[str, int, str, str]] = [
    ("", 1, "tenant", "Add this key"),
    ("[tenant]\nslug = 'x'\n", 1, "tenant.name", "Add this key"),
    ("tenant = 5\n", 1, "tenant", "Write a table"),
    (BASE.replace('"contoso"', '"Con toso"'), 2, "tenant.slug", "small letters"),
    (BASE.replace('"contoso"', '"-x"'), 2, "tenant.slug", "small letters"),
    (BASE.replace('"Contoso"', '" "'), 3, "tenant.name", "at least 1"),
    (BASE.replace('"Contoso"', f'"{"x" * 101}"'), 3, "tenant.name", "at most 100"),
    (BASE.replace('"Contoso"', '"""a\nb"""'), 3, "tenant.name", "line breaks"),
    (BASE + 'plan = "p3"\n', 5, "tenant.plan", "Use one of: free"),
    (BASE + "plann = 1\n", 5, "tenant.plann", 'Did you mean "plan"?'),
    (BASE + 'trial_started = "2026-11-01"\n', 5, "tenant.trial_started", "without quotes"),
    (BASE + "trial_started = 2026-11-01T08:00:00Z\n", 5, "tenant.trial_started", "time"),
    (BASE + 'languages = ["en", "xx"]\n', 5, "tenant.languages[1]", "the product speaks: en"),
    (BASE + 'languages = "en"\n', 5, "tenant.languages", "list in square brackets"),
    (BASE + 'hosts = ["a b"]\n', 5, "tenant.hosts[0]", "host name"),
    (BASE + 'hosts = ["localhost"]\n', 5, "tenant.hosts[0]", "shared host"),
    (BASE + 'hosts = ["a.b", "A.b"]\n', 5, "tenant.hosts[1]", "once"),
    (BASE + 'disclosure = "open"\n', 5, "tenant.disclosure", "guided, concealed"),
    (BASE + 'reveal_reason = "yes"\n', 5, "tenant.reveal_reason", "true or false"),
    (BASE + 'profile = "x"\n', 5, "tenant.profile", "public, government"),
    (BASE.replace("contoso.example", "contoso"), 4, "tenant.domains[0].name", "like contoso.ex"),
    (BASE.replace("contoso.example", "cöntoso.ex"), 4, "tenant.domains[0].name", "ASCII"),
    (
        BASE.replace(" }]", ' }, { name = "Contoso.example" }]'),
        4,
        "tenant.domains[1].name",
        "once",
    ),
    (BASE.replace("name = ", "nam = ", 2), 3, "tenant.nam", "name"),
    (BASE + '[helpdesk]\nemail = "help"\n', 6, "helpdesk.email", "help@contoso.example"),
    (BASE + '[helpdesk]\nurl = "javascript:1"\n', 6, "helpdesk.url", "https://"),
    (BASE + '[branding]\ncolor = "blue"\n', 6, "branding.color", "#0b5cad"),
    (BASE + '[policy]\nenabled = "some"\n', 6, "policy.enabled", "none, selected, all"),
    (BASE + '[policy]\nenabled = "selected"\n', 5, "policy.group", "Name the group"),
    (BASE + '[policy]\ngroup = "x"\n', 6, "policy.group", "no such group"),
    (BASE + '[policy]\nmethods = ["email", "fax"]\n', 6, "policy.methods[1]", "hardware_token"),
    (BASE + '[policy]\nmethods = ["security_questions"]\n', 6, "policy.methods", "never stand"),
    (
        BASE + '[policy]\nmethods_required = 1\nmethods = ["app_code"]\n',
        7,
        "policy.methods",
        "Beside the authenticator app",
    ),
    (BASE + '[policy]\nmethods = ["email", "email"]\n', 6, "policy.methods", "once"),
    (BASE + '[policy]\nmethods = ["email"]\n', 6, "policy.methods", "at least 2"),
    (BASE + "[policy]\nmethods_required = 4\n", 6, "policy.methods_required", "from 1 to 3"),
    (BASE + "[policy]\nmethods_required = true\n", 6, "policy.methods_required", "whole"),
    (BASE + "[policy]\nmethods_required = 2.0\n", 6, "policy.methods_required", "whole"),
    (BASE + "[policy]\nreconfirm_days = 731\n", 6, "policy.reconfirm_days", "from 0 to 730"),
    (BASE + "[policy]\nreconfirm_days = -1\n", 6, "policy.reconfirm_days", "from 0 to 730"),
    (BASE + "[policy]\nquestions_to_reset = 6\n", 6, "policy.questions_to_reset", "3 to 5"),
    (
        BASE + "[policy]\nquestions_to_reset = 4\nquestions_to_register = 3\n",
        6,
        "policy.questions_to_reset",
        "at most as many",
    ),
    (BASE + '[policy]\ncustom_questions = ["a?"]\n', 6, "policy.custom_questions[0]", "least 3"),
    (
        BASE + f"[policy]\ncustom_questions = {[f'Q {n}?' for n in range(21)]}\n",
        6,
        "policy.custom_questions",
        "at most 20",
    ),
    (BASE + '[policy]\ncustom_questions = ["Aa?", "aA?"]\n', 6, "policy.custom_questions", "once"),
    (BASE + '[policy]\nnotify_admins = "some"\n', 6, "policy.notify_admins", "all, global"),
    (BASE + '[password]\nrules = "own"\n', 6, "password.rules", "entra, nist"),
    (BASE + "[password]\nmin_length = 7\n", 6, "password.min_length", "from 8 to 256"),
    (BASE + '[password]\nbanned_terms = ["abc"]\n', 6, "password.banned_terms[0]", "at least 4"),
    (
        BASE + '[password]\nbanned_terms = ["Contoso", "contosO"]\n',
        6,
        "password.banned_terms[1]",
        "once",
    ),
    (
        BASE + f"[password]\nbanned_terms = {[f'term{n}' for n in range(1001)]}\n",
        6,
        "password.banned_terms[1000]",
        "1000",
    ),
    (BASE + "[limits]\nfailed_proofs = 6\n", 6, "limits.failed_proofs", "from 1 to 5"),
    (BASE + "[limits]\nfailed_by_address = 1\n", 6, "limits.failed_by_address", "no such key"),
    (BASE + '[groups]\nname = "x"\n', 5, "groups", "list"),
    (BASE + '[[groups]]\nname = "x"\n[[groups]]\nname = "x"\n', 8, "groups[1].name", "once"),
    (BASE + "[[groups]]\nmembers = []\n", 5, "groups[0].name", "Add this key"),
    (BASE + '[[groups]]\nname = "x"\ngroups = ["y"]\n', 7, "groups[0].groups[0]", "no such group"),
    (BASE + '[[groups]]\nname = "x"\ngroups = ["x"]\n', 7, "groups[0].groups[0]", "circle"),
    (
        BASE + '[[groups]]\nname = "x"\nmembers = ["eve@contoso.example"]\n',
        7,
        "groups[0].members[0]",
        "no such person",
    ),
    (BASE + '[[users]]\ndisplay_name = "x"\n', 5, "users[0].id", "Add this key"),
    (BASE + '[[users]]\nid = "a.@contoso.example"\n', 6, "users[0].id", "no dot right before"),
    (BASE + '[[users]]\nid = "a@b@contoso.example"\n', 6, "users[0].id", "Write name@domain"),
    (BASE + '[[users]]\nid = "ä@contoso.example"\n', 6, "users[0].id", "Write name@domain"),
    (BASE + f'[[users]]\nid = "{"a" * 65}@contoso.example"\n', 6, "users[0].id", "at most 64"),
    (BASE + '[[users]]\nid = "eve@other.example"\n', 6, "users[0].id", "tenant.domains"),
    (USER + '[[users]]\nid = "ALICE@contoso.example"\n', 8, "users[1].id", "already"),
    (USER + '[[guests]]\nid = "alice@contoso.example"\n', 8, "guests[0].id", "already"),
    (USER + 'kind = "robot"\n', 7, "users[0].kind", "member, guest"),
    (USER + "enabled = 1\n", 7, "users[0].enabled", "true or false"),
    (USER + 'roles = ["helpdesk_administrater"]\n', 7, "users[0].roles[0]", "helpdesk_admin"),
    (USER + 'source = "ldap"\n', 7, "users[0].source", "pass_through"),
    (USER + 'mobile_phone = "+14255550101"\n', 7, "users[0].mobile_phone", "one space"),
    (USER + 'mobile_phone = "+1  4255550101"\n', 7, "users[0].mobile_phone", "one space"),
    (USER + 'mobile_phone = "+1 425555010"\n', 7, "users[0].mobile_phone", "too short"),
    (USER + 'mobile_phone = "+1 4255550101x1"\n', 7, "users[0].mobile_phone", "no extension"),
    (USER + 'office_phone = "+1 4255550101xx"\n', 7, "users[0].office_phone", "digits"),
    (USER + 'email = "alice"\n', 7, "users[0].email", "Write an address"),
    (USER + 'alternate_email = "a b@c.example"\n', 7, "users[0].alternate_email", "address"),
    (USER + 'password = ""\n', 7, "users[0].password", "leave the key out"),
    (USER + f'password = "{"x" * 257}"\n', 7, "users[0].password", "at most 256"),
    (USER + 'password_hash = "plain$x"\n', 7, "users[0].password_hash", "argon2"),
    (USER + 'password_hash = "argon2$x"\n', 7, "users[0].password_hash", "argon2"),
    (USER + 'totp_secret = "not base 32!"\n', 7, "users[0].totp_secret", "base 32"),
    (USER + 'totp_secret = "JBSWY3DP"\n', 7, "users[0].totp_secret", "base 32"),
    (USER + 'language = "xx"\n', 7, "users[0].language", "the product speaks"),
    (USER + 'manager = "eve@contoso.example"\n', 7, "users[0].manager", "no such person"),
    (USER + 'manager = "Alice@contoso.example"\n', 7, "users[0].manager", "their own manager"),
    (USER + 'home = "fabrikam"\n', 7, "users[0].home", "no such key"),
    (
        USER + ANSWERS % ("'first_pet'", "'ab'", "'first_school'", "'abc'"),
        7,
        "users[0].questions[0].answer",
        "3 to 40",
    ),
    (
        USER + ANSWERS % ("'first_pet'", f"'{'a' * 41}'", "'first_school'", "'abc'"),
        7,
        "users[0].questions[0].answer",
        "3 to 40",
    ),
    (
        USER + ANSWERS % ("'first_pet'", "'Rex the  1st'", "'first_school'", "' rex THE 1st'"),
        7,
        "users[0].questions[1].answer",
        "of its own",
    ),
    (
        USER + ANSWERS % ("'first_pet'", "'abc'", "'first_pet'", "'def'"),
        7,
        "users[0].questions[1].question",
        "once",
    ),
    (
        USER + ANSWERS % ("'first_dragon'", "'abc'", "'first_pet'", "'def'"),
        7,
        "users[0].questions[0].question",
        "no such question",
    ),
    (USER + "questions = [{ question = 'first_pet' }]\n", 7, "users[0].questions[0].answer", "Add"),
    (GUEST + 'origin = "friend"\n', 7, "guests[0].origin", "partner, self_service_sign_up"),
    (GUEST + 'origin = "partner"\n', 5, "guests[0].home", "needs home"),
    (GUEST + 'origin = "partner"\nhome = "-"\n', 8, "guests[0].home", "Write the slug"),
    (GUEST + 'origin = "personal"\nhome = "fabrikam"\n', 8, "guests[0].home", "partner"),
    (GUEST + 'email = "bob"\n', 7, "guests[0].email", "address"),
    (GUEST + 'kind = "guest"\n', 7, "guests[0].kind", "no such key"),
    (BASE + "[extra]\na = 1\n", 5, "extra", "no such key"),
    (BASE + "[polciy]\n", 5, "polciy", 'Did you mean "policy"?'),
]


@pytest.mark.parametrize(("text", "line", "key", "words"), REFUSALS)
@pytest.mark.django_db
def test_each_slip_is_told_at_its_place(text: str, line: int, key: str, words: str) -> None:
    outcome = apply(text)

    told = {problem.key: (problem.line, problem.message) for problem in outcome.problems}
    assert key in told
    assert told[key][0] == line
    assert words in told[key][1]
    assert (outcome.applied, outcome.changes, tenant_ids()) == (False, (), [])


ONE_SLIP = [text for text, *_ in REFUSALS if text.startswith(BASE)]


@pytest.mark.parametrize("text", ONE_SLIP)
@pytest.mark.django_db
def test_one_slip_is_one_problem(text: str) -> None:
    assert len(apply(text).problems) == 1


@pytest.mark.django_db
def test_the_base_of_every_refusal_is_in_order() -> None:
    applied(FABRIKAM)
    for text in (BASE, USER, GUEST, GUEST + 'origin = "partner"\nhome = "fabrikam"\n'):
        assert apply(text, dry_run=True).problems == ()


@pytest.mark.django_db
def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = USER.replace('"Contoso"', "7") + (
        'mobile_phone = "1"\nmanager = "x"\ntotp_secret = "1"\nenabled = "no"\n'
        '[policy]\nmethods_required = 9\nenabled = "x"\n[[groups]]\nname = "a"\ngroups = ["b"]\n'
    )
    outcome = apply(text)

    assert [problem.line for problem in outcome.problems] == [3, 7, 8, 9, 10, 12, 13, 16]


@pytest.mark.django_db
def test_one_wrong_line_keeps_everything_else_from_being_applied() -> None:
    applied(FABRIKAM)
    tenant = applied(EXAMPLE)
    text = (
        EXAMPLE.replace('name = "Contoso"', 'name = "Renamed"')
        .replace("methods_required = 2", "methods_required = 1")
        .replace("sspr-pilot", "new-pilot")
        .replace("+1 4255550101", "+1 42")
    )
    outcome = apply(text)

    assert [problem.key for problem in outcome.problems] == ["users[0].mobile_phone"]
    with tenant_context(tenant):
        assert Tenant.objects.get().name == "Contoso"
        assert ResetPolicy.objects.get().methods_required == 2
        assert Group.objects.get().name == "sspr-pilot"
        assert AuditEvent.objects.filter(type="policy.applied").count() == 1


@pytest.mark.django_db
def test_a_circle_of_groups_is_found_through_groups_that_stand_already() -> None:
    ring = (
        '[[groups]]\nname = "a"\ngroups = ["b"]\n[[groups]]\nname = "b"\n[[groups]]\nname = "c"\n'
    )
    applied(BASE + ring)

    outcome = apply(BASE + '[[groups]]\nname = "b"\ngroups = ["c", "a"]\n')

    assert [problem.key for problem in outcome.problems] == ["groups[0].groups[1]"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (BASE.replace("contoso.example", "fabrikam.example"), "tenant.domains[0].name"),
        (BASE.replace("contoso.example", "FABRIKAM.example"), "tenant.domains[0].name"),
        (BASE + 'hosts = ["fabrikam.localhost"]\n', "tenant.hosts[0]"),
        (BASE + '[[users]]\nid = "bob@fabrikam.example"\n', "users[0].id"),
        (USER + 'manager = "bob@fabrikam.example"\n', "users[0].manager"),
        (
            BASE + '[[groups]]\nname = "x"\nmembers = ["bob@fabrikam.example"]\n',
            "groups[0].members[0]",
        ),
    ],
)
@pytest.mark.django_db
def test_what_belongs_to_another_tenant_is_refused_without_naming_it(text: str, key: str) -> None:
    applied(FABRIKAM)

    outcome = apply(text)

    assert [problem.key for problem in outcome.problems] == [key]
    assert "fabrikam" not in outcome.problems[0].message.lower()
    assert find_tenant(slug="contoso") is None


@pytest.mark.django_db
def test_names_of_a_tenant_that_is_switched_off_stay_taken() -> None:
    off = applied(FABRIKAM)
    with tenant_context(off):
        Tenant.objects.update(active=False)

    taken = apply(BASE.replace("contoso.example", "fabrikam.example"))
    slug = apply(BASE.replace('"contoso"', '"fabrikam"'))

    assert [problem.key for problem in taken.problems] == ["tenant.domains[0].name"]
    assert [problem.key for problem in slug.problems] == ["tenant.slug"]
    assert find_tenant(slug="contoso") is None
    with tenant_context(off):
        assert Domain.objects.count() == 1


@pytest.mark.django_db
def test_a_tenant_made_otherwise_can_be_taken_over_by_a_file() -> None:
    made = create_tenant("contoso", "Old name")

    outcome = apply(BASE)

    assert outcome.problems == ()
    assert find_tenant(slug="contoso") == made.id
