"""What went wrong is a page with a next step; a database that is away is a pause."""

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from resets.portal import views


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fault", "status", "retry"),
    [
        (OperationalError("connection refused"), 503, "5"),
        (InterfaceError("the connection is closed"), 503, "5"),
        (ValueError("ours"), 500, ""),
    ],
)
def test_a_database_that_is_away_is_a_503_with_a_time_and_a_fault_of_ours_a_500(
    client: Client, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int, retry: str
) -> None:
    def broken(*args: object, **more: object) -> None:
        raise fault

    monkeypatch.setattr(views, "page_context", broken)
    client.raise_request_exception = False

    answer = client.get("/")

    assert (answer.status_code, answer.headers.get("Retry-After", "")) == (status, retry)
    assert str(fault) not in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
