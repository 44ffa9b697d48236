"""A passkey in a real browser, with the authenticator of software that Chromium brings."""

import re

import pytest
from django.utils import timezone

from accounts.models import Credential
from accounts.passkeys import handle_of
from tenants.models import AuditEvent
from tests.cast import NEW_PASSWORD
from tests.journeys.conftest import OpenStage
from tests.journeys.scenes import BOB, passkey, policy
from tests.journeys.stage import Stage
from tests.services.softkey import SoftKey, give_passkey
from tests.services.virtual_key import VirtualKey

STATUS = "[data-passkey-status]"


def held_by_bob(stage: Stage) -> VirtualKey:
    key = VirtualKey.on(stage.page)
    with stage.acme.inside():
        key.hold(SoftKey.of(stage.acme.bob), stage.url, handle_of(stage.acme.bob))
    return key


def refused(stage: Stage, said: str) -> None:
    """Presses the button; the page stays and its status line says this."""
    stage.page.locator("main button.primary").click()
    stage.page.locator(STATUS).get_by_text(re.compile(said)).wait_for()


def test_a_reset_with_a_passkey_takes_two_typed_fields(open_stage: OpenStage) -> None:
    stage = open_stage("mobile")
    policy(stage, methods_required=1, methods=["passkey"])
    with stage.acme.inside():
        give_passkey(stage.acme.bob, stage.url)
    held_by_bob(stage)

    stage.goto("/reset/")
    stage.find_account(BOB)
    stage.fill()
    stage.go_on()
    assert stage.state == "choosing"
    stage.fill(new_password=NEW_PASSWORD)
    stage.go_on()

    assert stage.state == "done"
    assert (stage.screens, stage.fields) == (3, 2)


def test_whoever_is_not_verified_is_told_so_and_can_try_again(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    key = held_by_bob(stage)
    passkey(stage)
    key.verifies(False)
    refused(stage, "gave no passkey")

    key.verifies(True)
    stage.go_on()

    assert stage.state == "choosing"


def test_a_device_without_a_passkey_for_this_site_is_told_so(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    VirtualKey.on(stage.page)
    passkey(stage)

    refused(stage, "gave no passkey")

    assert stage.page.get_by_role("link", name="Try another way").is_visible()


def test_a_copied_passkey_is_refused_and_told(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    key = held_by_bob(stage)
    passkey(stage)
    with stage.acme.inside():
        Credential.objects.update(counter=40)
    key.set_back(3)

    stage.go_on()

    assert stage.state == "proving"
    assert "did not work here" in stage.page.locator("[data-summary]").inner_text()
    with stage.acme.inside():
        assert AuditEvent.objects.filter(type="method.copy_suspected").count() == 1
    assert [message["kind"] for message in stage.messages()] == ["passkey_refused"]
    key.set_back(40)
    stage.go_on()
    assert stage.state == "choosing"


def test_a_bogus_signature_is_wrong(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    key = held_by_bob(stage)
    passkey(stage)
    key.bogus()

    stage.go_on()

    assert stage.state == "proving"
    assert "4 tries left" in stage.page.locator("main").inner_text()


@pytest.mark.parametrize("mode", ["nojs", "desktop"])
def test_where_passkeys_can_not_work_the_page_says_so_and_leads_on(
    open_stage: OpenStage, mode: str
) -> None:
    stage = open_stage(mode)
    if mode != "nojs":
        stage.page.add_init_script("delete window.PublicKeyCredential")
    passkey(stage)

    main = stage.page.locator("main")
    assert not main.locator("[data-passkey-button]").is_visible()
    said = "Passkeys need JavaScript" if mode == "nojs" else "can’t use passkeys here"
    assert main.get_by_text(said).is_visible()
    main.get_by_role("link", name="Try another way").click()
    assert stage.page.locator("[name=method][value=email]").is_visible()


def test_the_row_knows_when_its_passkey_was_used(open_stage: OpenStage) -> None:
    stage = open_stage("desktop")
    before = timezone.now()
    held_by_bob(stage)
    passkey(stage)

    stage.go_on()

    with stage.acme.inside():
        row = Credential.objects.get()
    assert row.used_at is not None
    assert row.used_at >= before
    assert row.counter > 0
