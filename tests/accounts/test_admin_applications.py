"""Applications and identity providers on the administration site."""

import re

from accounts.models import Application, Credential, IdentityProvider
from tenants.models import AuditEvent
from tests.accounts.federation.accounts import give_external
from tests.accounts.oidc.applications import CALLBACK, NOW
from tests.cast import Acme
from tests.services.signed_in import signed_in_client

APPLICATIONS = "/admin/accounts/application/"
PROVIDERS = "/admin/accounts/identityprovider/"
FORM = {"name": "Intranet", "redirect_uris": CALLBACK, "logout_uris": "", "is_enabled": "on"}
PROVIDER = {
    "slug": "partner",
    "name": "Partner",
    "issuer": "https://login.partner.example",
    "client_id": "sspr",
    "secret": "a secret of theirs",
    "proves": "on",
    "is_enabled": "on",
}


def test_the_secret_of_an_application_is_shown_once(acme: Acme) -> None:
    client = signed_in_client(acme, acme.carol, proved=("app_code",))

    page = client.post(f"{APPLICATIONS}add/", FORM).content.decode()
    [secret] = re.findall(r'<strong translate="no">([\w-]{43})</strong>', page)
    with acme.inside():
        row = Application.objects.get()
    again = client.get(f"{APPLICATIONS}{row.pk}/change/").content.decode()
    replaced = client.post(f"{APPLICATIONS}{row.pk}/secret/", {}).content.decode()

    assert row.client_id in again
    assert secret not in again
    assert re.search(r'<strong translate="no">[\w-]{43}</strong>', replaced)
    assert secret not in replaced
    with acme.inside():
        types = set(AuditEvent.objects.values_list("type", flat=True))
        assert {"application.created", "application.secret_replaced"} <= types


def test_an_address_that_is_none_is_told_at_its_field(acme: Acme) -> None:
    client = signed_in_client(acme, acme.carol, proved=("app_code",))

    for address in ("http://app.example/", "https://*.app.example/", "javascript:alert(1)", ""):
        page = client.post(f"{APPLICATIONS}add/", {**FORM, "redirect_uris": address})
        assert page.context["form"].errors["redirect_uris"]
    with acme.inside():
        assert not Application.objects.exists()


def test_an_application_is_changed_and_removed(acme: Acme) -> None:
    client = signed_in_client(acme, acme.carol, proved=("app_code",))
    client.post(f"{APPLICATIONS}add/", FORM)
    with acme.inside():
        row = Application.objects.get()

    changed = client.post(f"{APPLICATIONS}{row.pk}/change/", {**FORM, "name": "Wiki"})
    with acme.inside():
        assert Application.objects.get().name == "Wiki"
    removed = client.post(f"{APPLICATIONS}{row.pk}/remove/", {})

    assert (changed.status_code, removed.status_code) == (302, 302)
    with acme.inside():
        assert not Application.objects.exists()


def test_a_provider_is_added_changed_and_removed_with_the_accounts_there(
    acme: Acme,
) -> None:
    client = signed_in_client(acme, acme.carol, proved=("app_code",))
    client.post(f"{PROVIDERS}add/", PROVIDER)
    with acme.inside():
        row = IdentityProvider.objects.get()
        secret = row.find_secret()
        account = give_external(acme.alice, NOW)
        assert account.is_usable(NOW)
    assert secret is not None
    assert secret.reveal() == PROVIDER["secret"]

    page = client.get(f"{PROVIDERS}{row.pk}/change/").content.decode()
    distrusted = {name: value for name, value in PROVIDER.items() if name != "proves"}
    client.post(f"{PROVIDERS}{row.pk}/change/", {**distrusted, "secret": ""})
    with acme.inside():
        account.refresh_from_db()
        assert account.expires_at is not None
    client.post(f"{PROVIDERS}{row.pk}/change/", {**PROVIDER, "issuer": "https://evil.example"})
    with acme.inside():
        assert IdentityProvider.objects.get().issuer == PROVIDER["issuer"]
    client.post(f"{PROVIDERS}{row.pk}/remove/", {"reason": "contract over"})

    assert PROVIDER["secret"] not in page
    assert "/sign-in/with/partner/callback/" in page
    with acme.inside():
        assert not IdentityProvider.objects.exists()
        assert not Credential.objects.exists()
