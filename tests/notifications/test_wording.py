"""The words of messages that are sent one after the other."""

from collections.abc import Mapping
from datetime import datetime

import pytest

from notifications import queue
from notifications.kinds import Kind
from notifications.rendering import Rendered, Value, render
from notifications.services import CodeSource, Recipient, drain
from tenants.models import Tenant
from tests.notifications.conftest import Stub
from tests.notifications.post import queue_code, queue_notice


def test_what_goes_to_two_mailboxes_of_a_person_is_worded_once_and_nobody_gets_anothers_words(
    tenant: Tenant, now: datetime, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    worded: list[str] = []

    def counted(kind: Kind, channel: str, language: str, facts: Mapping[str, Value]) -> Rendered:
        worded.append(f"{language} {facts['recipient_name'] or facts['code']}")
        return render(kind, channel, language, facts)

    monkeypatch.setattr(queue, "render", counted)
    for address, language, name in (
        ("alice@contoso.example", "en", "Alice Adams"),
        ("alice@home.example", "en", "Alice Adams"),
        ("alice@other.example", "de", "Alice Adams"),
        ("bob@contoso.example", "de", "Bob Brown"),
    ):
        queue_notice(tenant, now, to=Recipient(address, language, name))
    drain(now)
    queue_code(tenant, now, CodeSource(b"1" * 16, b"one"))
    queue_code(tenant, now, CodeSource(b"2" * 16, b"two"))
    drain(now)

    assert worded[:3] == ["en Alice Adams", "de Alice Adams", "de Bob Brown"]
    assert len(worded) == 5
    bodies = {message.to.reveal(): message.text for message in stub.sent[:4]}
    assert bodies["alice@contoso.example"] == bodies["alice@home.example"]
    assert "Guten Tag Alice Adams" in bodies["alice@other.example"]
    assert "Bob Brown" in bodies["bob@contoso.example"]
    assert len({message.text for message in stub.sent[4:]}) == 2
