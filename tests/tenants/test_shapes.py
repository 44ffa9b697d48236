"""Rows that are made without asking Django are the rows that Django makes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from notifications.models import Message
from resets.models import Challenge, Flow
from tenants.models import AuditEvent, AuditSeal
from tenants.shapes import Shape, new_row

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
KEY = uuid4()


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (AuditEvent, {"id": KEY, "type": "flow.started", "created_at": NOW, "data": {"a": 1}}),
        (AuditEvent, {"id": KEY, "tenant_id": KEY, "reason": "why"}),
        (AuditSeal, {"id": KEY, "event_id": KEY, "sequence": 3, "hash": b"h" * 32}),
        (Message, {"id": KEY, "tenant_id": KEY, "kind": "code", "code_nonce": None}),
        (Challenge, {"id": KEY, "flow_id": KEY, "questions": ["a"]}),
        (Flow, {"id": KEY, "methods": ["email"]}),
    ],
)
def test_a_new_row_is_what_the_model_makes(model: Any, values: dict[str, Any]) -> None:
    made, expected = new_row(model, **values), model(**values)

    assert _kept(made) == _kept(expected)
    assert made._state.adding
    assert (made._state.db, made == expected) == (None, True)


def test_what_is_left_out_is_each_row_s_own() -> None:
    first, second = new_row(AuditEvent), new_row(AuditEvent)

    assert first.pk != second.pk
    assert first.data is not second.data


@pytest.mark.parametrize("wrong", [{"event": 1}, {"sequense": 1}, {"_state": 1}])
def test_a_value_that_the_row_does_not_keep_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="AuditSeal does not keep"):
        new_row(AuditSeal, sequence=1, **wrong)


def test_an_identifier_comes_back_as_the_database_writes_it() -> None:
    shape = Shape(AuditSeal)
    body = {"id": str(KEY), "tenant_id": KEY.hex, "event_id": None, "sequence": 1, "hash": "\\x01"}

    row = shape.load(body)

    assert (row.pk, row.tenant_id, row.event_id) == (KEY, UUID(KEY.hex), None)
    assert row.hash == b"\x01"


def _kept(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.__dict__.items() if name != "_state"}
