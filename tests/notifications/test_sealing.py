"""What a message says and who gets it is sealed to its place, in steps that hide its size."""

import pytest

from notifications.models import Message
from notifications.sealing import opened, seal
from tenants.keys import SealBroken, binding, tenant_keys
from tests.cast import Acme

pytestmark = pytest.mark.django_db
ENVELOPE = 2 + 12 + 16


def test_what_was_sealed_opens_in_its_field_of_its_row_alone(acme: Acme) -> None:
    with acme.inside():
        row, other = Message(), Message()
        row.context = row.recipient = other.context = seal(row, "context", {"to": "alice"})

        assert opened(row, "context") == {"to": "alice"}
        for wrong, field in ((row, "recipient"), (other, "context")):
            with pytest.raises(SealBroken):
                opened(wrong, field)
        place = binding(acme.id, "message", row.id, "context")
        assert tenant_keys().open(row.context, place).reveal().strip() == b'{"to": "alice"}'


def test_texts_of_about_the_same_length_are_sealed_to_the_same_length(acme: Acme) -> None:
    # {"a": ""} are nine signs.
    with acme.inside():
        lengths = [len(seal(Message(), "context", {"a": "x" * n})) for n in (0, 246, 247, 248, 503)]

    assert [length - ENVELOPE for length in lengths] == [256, 256, 256, 512, 512]
