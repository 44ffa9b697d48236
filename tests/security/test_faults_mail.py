"""F-12: a mail server that refuses, is closing, or says nothing. Nobody at the portal notices."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import Message
from notifications.services import drain
from tests.cast import NEW_PASSWORD
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.extra_faults import MailServer, mail_server, text_of
from tests.security.lab.extra_limits import count_of
from tests.security.lab.lab import Lab
from tests.services.ports import free_port


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    """The provider of the worker, which drains in this process."""
    with mail_server() as running:
        settings.SSPR_OUTBOX_DIR = ""
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = running.host, running.port
        settings.EMAIL_TIMEOUT = 1
        yield running


def _break(mail: MailServer, settings: Any, fault: str) -> None:
    if fault == "refused":
        settings.EMAIL_PORT = free_port()
    elif fault == "rejected":
        mail.refuse_with = "451 4.7.1 not now"
    else:
        mail.mode = {"closing": "421", "silent": "stall"}[fault]


def _heal(mail: MailServer, settings: Any) -> None:
    settings.EMAIL_PORT, mail.mode, mail.refuse_with = mail.port, "ok", None


@pytest.mark.parametrize("fault", ["refused", "rejected", "closing", "silent"])
def test_f12_without_mail_people_switch_the_method_unpunished_and_notices_arrive_later(
    lab: Lab, mail: MailServer, settings: Any, fault: str
) -> None:
    lab.policy(methods_required=1)
    _break(mail, settings, fault)
    browser = lab.begun(lab.acme.bob.user_id)
    began = time.monotonic()
    assert browser.choose("email", BOB_EMAIL).status == 303
    took = time.monotonic() - began
    drain(timezone.now())
    assert browser.page.form.typed == ["code"]
    assert took < 5
    assert mail.mails == []

    # Another method, without having lost a try.
    assert browser.choose("app_code").status == 303
    browser.verify(lab.app_code(lab.acme.bob))
    browser.submit(NEW_PASSWORD)
    assert browser.state == "done"
    assert [count_of(lab.acme, n) for n in ("failed_proofs", "failed_method")] == [0, 0]
    drain(timezone.now())
    with lab.acme.inside():
        notice = Message.objects.get(kind="password_changed")
    assert (notice.state, notice.attempts) == ("queued", 1)
    assert notice.error
    _heal(mail, settings)

    drain(timezone.now() + timedelta(minutes=10))

    # The notice arrives, the code that is dead by now does not.
    assert [sent.recipients for sent in mail.mails] == [[BOB_EMAIL]]
    assert "password was changed" in text_of(mail.mails[0])
    with lab.acme.inside():
        states = dict(Message.objects.values_list("kind", "state"))
    assert states == {"code": "expired", "password_changed": "sent"}
