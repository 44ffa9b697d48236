"""What is exported can be applied: nothing to do, and the same bytes again."""

import tomllib

import pytest

from accounts.models import User
from tenants.config.engine import export_tenant
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.services import create_tenant
from tests.tenants.config.files import EXAMPLE, FABRIKAM, SECRETS, applied, apply, changed

RICH = r"""
[tenant]
slug = "rich"
name = "Ünïcode \"GmbH\" \\ 株式会社 🚢"
plan = "business_standard"
hosts = ["b.localhost", "a.localhost"]
languages = ["ar", "de-AT"]
disclosure = "concealed"
reveal_reason = true
profile = "government"
domains = [
    { name = "rich.example" },
    { name = "init.example", verified = false, custom = false },
]

[helpdesk]
url = "https://help.rich.example/a?b=c"
phone = "call 'us' \"now\""

[branding]
logo = "/static/rich.svg"

[policy]
enabled = "selected"
group = "Gruppe Ä"
require_licence = false
methods = ["passkey", "email", "security_questions"]
methods_required = 3
combined_registration = false
questions_to_register = 4
questions_to_reset = 4
custom_questions = ["Wie heißt \"er\"?", "¿Quién?"]
require_registration = false
reconfirm_days = 0
notify_user = false
notify_admins = "global"
admins_may_reset = false
writeback = true
unlock_without_reset = true
register_with_password = false
pass_extension = true

[password]
rules = "nist"
min_length = 15
banned_terms = ["Größe", "ship\\\"s"]
check_breached = false

[limits]
phone_sends = 2
failed_proofs = 1

[[groups]]
name = "Gruppe Ä"
members = ["zoë", "o'neil@rich.example"]
groups = ["inner", "empty"]

[[groups]]
name = "inner"
members = ["bob_x.example#EXT#@rich.example", "Anna_Long.Name@Init.example"]

[[groups]]
name = "empty"

[[users]]
id = "o'neil@rich.example"
display_name = "Zoë O’Neil 🦉"
given_name = "Zoë"
surname = "O’Neil"
enabled = false
licensed = false
roles = ["user_administrator", "global_reader"]
source = "federated"
email = "Zoe+x@Rich.example"
alternate_email = "zoe@bücher.example"
mobile_phone = "+49 15123456789"
office_phone = "+49 301234567x42"
language = "de-at"
manager = "anna_long.name@init.example"
password_hash = "HASH"
totp_secret = "jbsw y3dp ehpk 3pxp"
questions = [
    { question = "¿Quién?", answer = "Ναι, εγώ" },
    { question = "first_pet", answer = "ＲＥＸ 1" },
]

[[users]]
id = "Anna_Long.Name@Init.example"
kind = "guest"
alternate_email = "anna@partner.example"
password = "Ångström ﬁve ships"

[[guests]]
id = "bob_x.example#EXT#@rich.example"
display_name = "Bob"
email = "bob@x.example"
origin = "partner"
home = "fabrikam"
enabled = false
licensed = false
language = "en"
password = "Bobs own ships"

[[guests]]
id = "pia@rich.example"
email = "pia@mail.example"
origin = "personal"

[[guests]]
id = "ivy@rich.example"
""".replace('"zoë", ', "").replace(
    "HASH",
    "argon2$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NQ$"
    "U2FsdGVkIGhhc2ggb2YgMzIgYnl0ZXMgb2YgdGV4dC4",
)


@pytest.mark.parametrize("text", [EXAMPLE, RICH, FABRIKAM])
@pytest.mark.django_db
def test_an_export_applied_changes_nothing_and_exports_the_same_bytes(text: str) -> None:
    applied(FABRIKAM)
    applied(text)
    slug = tomllib.loads(text)["tenant"]["slug"]

    first = export_tenant(slug)

    assert changed(apply(first)) == []
    assert changed(apply(text)) == []
    assert export_tenant(slug) == first


@pytest.mark.parametrize("text", [EXAMPLE, RICH])
@pytest.mark.django_db
def test_an_export_makes_the_same_tenant_elsewhere(text: str) -> None:
    applied(FABRIKAM)
    tenant = applied(text)
    slug = tomllib.loads(text)["tenant"]["slug"]
    first = export_tenant(slug)
    with tenant_context(tenant):
        Tenant.objects.update(slug="gone", active=False)
    elsewhere = first.replace(".example", ".test").replace(".localhost", ".test")

    applied(elsewhere)

    assert export_tenant(slug) == elsewhere


@pytest.mark.django_db
def test_an_export_holds_no_secret_and_applying_it_keeps_them() -> None:
    applied(FABRIKAM)
    tenant = applied(EXAMPLE)

    text = export_tenant("contoso")
    outcome = apply(text.replace('"Alice Adams"', '"Alice Brown"'))

    assert changed(outcome) == [
        "~ user alice@contoso.example: display_name: Alice Adams → Alice Brown"
    ]
    for secret in (*SECRETS, "argon2", "\nquestions =", "\npassword =", "totp_secret"):
        assert secret not in text
    with tenant_context(tenant):
        alice = User.objects.get(user_id="alice@contoso.example")
        assert alice.check_password("Tall-Ships 4 Alice")
        assert alice.answers.count() == 1


@pytest.mark.django_db
def test_a_tenant_made_otherwise_exports_what_can_be_applied() -> None:
    create_tenant("bare", "Bare")

    text = export_tenant("bare")

    assert changed(apply(text)) == []
