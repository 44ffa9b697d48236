"""Whether anything was sent to an address that nobody put on file."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from benchmarks.harness.people import NOBODY, Person, Place
from benchmarks.harness.stage import Stage
from notifications.models import Message
from notifications.services import get_recipient
from tenants.context import tenant_context


class Crowd(Protocol):
    """People and tenants of a run, and who everybody is."""

    @property
    def people(self) -> Sequence[tuple[str, Person]]: ...

    @property
    def places(self) -> Sequence[Place]: ...


def messages(found: Stage, crowds: Sequence[Crowd]) -> dict[str, Any]:
    """Mails that arrived and rows of the outbox, by whose address they went to."""
    owner: dict[str, str] = {}
    for crowd in crowds:
        for kind, person in crowd.people:
            if kind not in NOBODY:
                owner |= dict.fromkeys((person.mailbox, person.primary), kind)
        owner |= {f"help@{place.domain}": "help desk" for place in crowd.places}
    arrived: Counter[str] = Counter()
    for address, count in found.post.recipients.items():
        arrived[owner.get(address, "nobody on file")] += count
    rows: Counter[str] = Counter()
    for crowd in crowds:
        for place in crowd.places:
            rows += _rows(place, owner)
    stray = arrived["nobody on file"] + rows["nobody on file"]
    return {
        "arrived": dict(arrived),
        "rows": dict(rows),
        "to_addresses_not_on_file": stray,
    }


def _rows(place: Place, owner: dict[str, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    with tenant_context(place.tenant):
        for message in Message.objects.all():
            if message.channel == Message.Channel.NONE:
                found["decoys"] += 1
            else:
                found[owner.get(get_recipient(message).reveal(), "nobody on file")] += 1
    return found
