"""The answers of Active Directory, as Samba and Windows give them."""

import pytest

from writeback.connectors.answers import answer_of_bind, cause_of_change

BIND = "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {}, v1db1"


@pytest.mark.parametrize(
    ("result", "message", "cause"),
    [
        (0, "", ""),
        (0, "0000052D: a success is one", ""),
        (19, "0000052D: Constraint violation - the password is too short.", "password_rules"),
        (53, "0000052D: SvcErr: problem 5003 (WILL_NOT_PERFORM), data 0", "password_rules"),
        (19, "0000052d: in lower case", "password_rules"),
        (19, "00000056: The old password specified doesn't match!", "wrong_old_password"),
        (50, "error in module acl: insufficient access rights (50)", "no_right_to_reset"),
        (50, "00000005: SecErr: problem 4003 (INSUFF_ACCESS_RIGHTS)", "no_right_to_reset"),
        (50, "00002098: Object CN=x has no write property access", "no_right_to_unlock"),
        (32, "00002030: No such Base DN: CN=nobody", "person_missing"),
        (32, "0000208D: NameErr: DSID-0310021B", "person_missing"),
        (32, "", "person_missing"),
        (12, "", "unsupported"),
        (8, "BindSimple: Transport encryption required.", "needs_encryption"),
        (13, "", "needs_encryption"),
        (51, "", "busy"),
        (52, "", "busy"),
        (53, "00002035: setup_io: it's not allowed to set the NT hash", "refused"),
        (80, "00000057: pwdLastSet must be 0 or -1 only!", "refused"),
        (19, "the words 0000052D: do not count in the middle", "refused"),
        (1, "", "refused"),
    ],
)  # fmt: skip
def test_a_change_is_judged_by_codes_alone(result: int, message: str, cause: str) -> None:
    assert cause_of_change(result, message) == cause


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        ("52e", "wrong"),
        ("52E", "wrong"),
        ("525", "wrong"),
        ("530", "not_now"),
        ("531", "not_here"),
        ("532", "expired"),
        ("533", "disabled"),
        ("701", "account_expired"),
        ("773", "must_change"),
        ("775", "locked"),
        ("999", "refused"),
    ],
)
def test_a_refused_bind_says_why(data: str, answer: str) -> None:
    assert answer_of_bind(49, BIND.format(data)) == answer


def test_a_bind_is_right_by_its_result_alone() -> None:
    assert answer_of_bind(0, BIND.format("52e")) == "right"
    assert answer_of_bind(49, "") == "refused"
    assert answer_of_bind(8, BIND.format("52e")) == "refused"
