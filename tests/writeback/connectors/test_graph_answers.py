"""What Microsoft Graph and Entra's token endpoint answer, by status and code."""

from typing import Any

import pytest

from writeback.connectors.graph_answers import (
    answer_of_sign_in,
    cause_of_change,
    cause_of_failure,
    code_for_log,
)


@pytest.mark.parametrize(
    ("status", "code", "comes_again", "cause"),
    [
        (200, "", False, ""),
        (202, "", False, ""),
        (204, "passwordValidationFailed", False, ""),
        (400, "passwordValidationFailed", False, "password_rules"),
        (400, "PasswordValidationFailed", False, "password_rules"),
        (400, "Request_BadRequest", False, "refused"),
        (400, "", False, "refused"),
        (308, "", False, "refused"),
        (401, "InvalidAuthenticationToken", False, "no_right_to_reset"),
        (403, "Authorization_RequestDenied", False, "no_right_to_reset"),
        (403, "", False, "no_right_to_reset"),
        (404, "Request_ResourceNotFound", False, "person_missing"),
        (404, "", False, "person_missing"),
        (409, "", False, "refused"),
        (429, "", False, "busy"),
        (429, "", True, "busy"),
        (501, "", False, "unsupported"),
        (503, "", True, "busy"),
        (503, "", False, None),
        (500, "", True, None),
        (504, "", False, None),
    ],
)
def test_an_answer_tells_why_a_password_was_not_set_or_that_it_does_not_tell(
    status: int, code: str, comes_again: bool, cause: str | None
) -> None:
    found = cause_of_change(status, code, comes_again=comes_again, is_password_alone=False)

    assert found == cause


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (400, "Request_BadRequest", "password_rules"),
        (400, "somethingElse", "refused"),
        (409, "Request_BadRequest", "refused"),
        (403, "Request_BadRequest", "no_right_to_reset"),
    ],
)
def test_a_bad_request_with_nothing_but_a_password_is_a_bad_password(
    status: int, code: str, cause: str
) -> None:
    assert cause_of_change(status, code, comes_again=False, is_password_alone=True) == cause


@pytest.mark.parametrize(
    ("detail", "cause"),
    [
        ("passwordValidationFailed", "password_rules"),
        ("Authorization_RequestDenied", "no_right_to_reset"),
        ("resourceNotFound", "person_missing"),
        ("The password was too short.", "refused"),
        ("", "refused"),
    ],
)
def test_a_failed_operation_is_understood_by_its_code_and_not_by_words(
    detail: str, cause: str
) -> None:
    assert cause_of_failure(detail) == cause


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("accessDenied", "accessDenied"),
        ("Authorization_RequestDenied", "Authorization_Reques"),
        ("the words: S3cret!", "403"),
        ("a\nline", "403"),
        ("", "403"),
    ],
)
def test_only_a_code_is_ever_logged(code: str, shown: str) -> None:
    assert code_for_log(code, "403") == shown


@pytest.mark.parametrize(
    ("status", "numbers", "answer"),
    [
        (200, [], "right"),
        (400, [50126], "wrong"),
        (400, [50034], "wrong"),
        (400, [50056], "wrong"),
        (400, [50053], "locked"),
        (400, [50055], "expired"),
        (400, [50144], "expired"),
        (400, [50057], "disabled"),
        (400, [50076], "right"),
        (400, [1, "50126", 50079], "right"),
        (400, [7000218], "refused"),
        (400, [], "refused"),
        (500, [], "refused"),
    ],
)
def test_a_sign_in_is_understood_by_its_number(
    status: int, numbers: list[Any], answer: str
) -> None:
    assert answer_of_sign_in(status, numbers) == answer
