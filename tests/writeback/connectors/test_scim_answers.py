"""What a SCIM service answers, by status and scimType."""

import pytest

from writeback.connectors.scim_answers import cause_of_change, code_for_log


@pytest.mark.parametrize(
    ("status", "scim_type", "comes_again", "cause"),
    [
        (200, "", False, ""),
        (204, "invalidValue", False, ""),
        (400, "invalidValue", False, "password_rules"),
        (400, "INVALIDVALUE", False, "password_rules"),
        (400, "mutability", False, "unsupported"),
        (400, "invalidPath", False, "unsupported"),
        (400, "noTarget", False, "unsupported"),
        (400, "invalidSyntax", False, "unsupported"),
        (400, "sensitive", False, "unsupported"),
        (400, "tooMany", False, "refused"),
        (400, "", False, "refused"),
        (307, "", False, "refused"),
        (401, "", False, "no_right_to_reset"),
        (403, "invalidValue", False, "no_right_to_reset"),
        (404, "", False, "person_missing"),
        (405, "", False, "unsupported"),
        (409, "uniqueness", False, "refused"),
        (412, "", False, "busy"),
        (429, "", False, "busy"),
        (501, "", False, "unsupported"),
        (503, "", True, "busy"),
        (503, "", False, None),
        (500, "", True, None),
    ],
)
def test_an_answer_tells_why_a_password_was_not_set_or_that_it_does_not_tell(
    status: int, scim_type: str, comes_again: bool, cause: str | None
) -> None:
    assert cause_of_change(status, scim_type, comes_again=comes_again) == cause


@pytest.mark.parametrize(
    ("status", "scim_type", "shown"),
    [
        (400, "invalidValue", "400 invalidValue"),
        (400, "a type that is much too long", "400"),
        (400, "aTypeThatIsMuchTooLong", "400 aTypeThatIsMuchT"),
        (412, "", "412"),
    ],
)
def test_only_a_code_is_ever_logged(status: int, scim_type: str, shown: str) -> None:
    assert code_for_log(status, scim_type) == shown
