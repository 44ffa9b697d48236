"""Forms that no page of ours sends, and what people really type."""

from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from tests.cast import NEW_PASSWORD, Acme, app_code
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Visitor, get_flow_row, trail
from tests.resets.walks import (
    BOB_EMAIL,
)

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "body",
    [
        [("user_id", "bob@acme.example"), ("user_id", "alice@acme.example")],
        [("user_id", "bob@acme.example"), ("email", "x@evil.example")],
        [("user_id", "bob@acme.example"), ("to", "x@evil.example")],
        [("user_id", "bob@acme.example"), ("tenant", "beta")],
        [("user_id[]", "bob@acme.example")],
        [("user_id", "bob@acme.example\x00")],
        [(f"field{number}", "") for number in range(30)],
    ],
)
def test_an_odd_form_at_the_start_is_refused_before_anything_is_looked_up(
    acme: Acme, visitor: Visitor, post: Post, body: list[tuple[str, str]]
) -> None:
    page = visitor.get("/reset/")
    token = page.form.values["csrfmiddlewaretoken"]

    response = visitor.client.post(
        "/reset/", urlencode([("csrfmiddlewaretoken", token), *body]), content_type=FORM
    )

    assert response.status_code == 400
    assert trail(acme) == []
    assert post() == []


def test_a_field_in_the_address_and_in_the_form_is_refused(acme: Acme, visitor: Visitor) -> None:
    visitor.get("/reset/")

    page = visitor.post("/reset/?user_id=alice@acme.example", {"user_id": acme.bob.user_id})

    assert page.status == 400


@pytest.mark.parametrize(
    ("step", "fields"),
    [
        ("choose", {"method": "email", "contact": BOB_EMAIL, "phone": "+1 4255550101"}),
        ("verify", {"code": "123456", "user_id": "alice@acme.example"}),
        ("submit", {"new_password": NEW_PASSWORD, "user": "alice@acme.example"}),
        ("send", {"to": "x@evil.example"}),
        ("cancel", {"flow": "1"}),
    ],
)
def test_an_unknown_field_of_a_step_is_refused_and_counts_nothing(
    acme: Acme, visitor: Visitor, post: Post, step: str, fields: Mapping[str, str]
) -> None:
    visitor.start(acme.bob.user_id)

    page = visitor.post(f"/reset/{visitor.flow}/{step}/", dict(fields))

    assert page.status == 400
    assert post() == []
    flow = get_flow_row(acme, visitor.path.split("/")[2])  # type: ignore[arg-type]  # a uuid's text
    assert (flow.state, flow.tries) == ("proving", 0)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/xml"])
def test_only_forms_are_read(acme: Acme, visitor: Visitor, content_type: str) -> None:
    page = visitor.get("/reset/")
    token = page.form.values["csrfmiddlewaretoken"]

    response = visitor.client.post(
        "/reset/",
        '{"user_id": ["bob@acme.example"]}',
        content_type=content_type,
        headers={"x-csrftoken": token},
    )

    assert response.status_code == 400
    assert trail(acme) == []


def test_a_file_is_no_field(acme: Acme, visitor: Visitor) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    visitor.get("/reset/")

    page = visitor.post("/reset/", {"user_id": SimpleUploadedFile("x", b"bob@acme.example")})

    assert page.status == 400


@pytest.mark.parametrize(
    "typed",
    [
        "m\u0131ke@acme.example",
        "\uff42ob@acme.example",
        "bob\u200b@acme.example",
        "b\u043eb@acme.example",
        "bob@acme.example\u00a0",
        "bo\u202eb@acme.example",
        "bob@acme.example@acme.example",
        "%62ob@acme.example",
    ],
)
def test_a_user_id_that_only_looks_like_one_is_nobodys(
    acme: Acme, visitor: Visitor, post: Post, typed: str
) -> None:
    page = visitor.start(typed)

    assert page.state == "refused"
    assert get_flow_row(acme, visitor.flow).reason == "unknown_user"
    assert post() == []


def test_the_case_of_ascii_letters_and_blanks_around_do_not_matter(
    acme: Acme, visitor: Visitor
) -> None:
    assert visitor.start("  BOB@Acme.EXAMPLE ").state == "proving"
    assert get_flow_row(acme, visitor.flow).user_id == acme.bob.pk


@pytest.mark.parametrize(
    ("length", "status", "state"),
    [(113, 200, "refused"), (114, 400, "started"), (10_000, 400, "started")],
)
def test_a_user_id_has_at_most_113_characters(
    acme: Acme, visitor: Visitor, length: int, status: int, state: str
) -> None:
    typed = "a" * (length - len("@acme.example")) + "@acme.example"

    page = visitor.start(typed)

    assert (page.status, page.state) == (status, state)


@pytest.mark.parametrize(
    "code",
    [
        "",
        " ",
        "12345",
        "1234567",
        "-00001",
        "1e5",
        "0x1F",
        "1" * 10_000,
        "٠١٢٣٤",
        "一二三四五六",
        "½½½½½½",
    ],
)
def test_what_can_not_be_a_code_is_asked_for_again_and_not_counted(
    acme: Acme, visitor: Visitor, code: str
) -> None:
    visitor.start(acme.bob.user_id)

    page = visitor.fill(code=code)

    assert (page.status, page.state) == (400, "proving")
    assert 'id="code-error"' in page.text
    assert get_flow_row(acme, visitor.flow).tries == 0


@pytest.mark.parametrize("spaced", [True, False])
def test_a_code_may_be_typed_with_blanks_or_other_digits(
    acme: Acme, visitor: Visitor, clock: Clock, spaced: bool
) -> None:
    visitor.start(acme.bob.user_id)
    code = app_code(acme.bob, clock.now)
    arabic = code.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})

    page = visitor.fill(code=f" {code[:3]} {code[3:]} " if spaced else arabic)

    assert page.form.typed == ["contact"]
