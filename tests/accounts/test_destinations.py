"""Where a code may go: what is dear or nowhere never, countries as the tenant says."""

import pytest

from accounts.destinations import destination_problem


@pytest.mark.parametrize(
    ("number", "countries", "problem"),
    [
        ("+1 4255550101", (), None),
        ("+1 4255550101", ("US",), None),
        ("+1 4255550101", ("DE", "US"), None),
        ("+1 4255550101", ("DE",), "country"),
        ("+1 4255550100x123", ("US",), None),
        ("+49 15112345678", ("US",), "country"),
        # Canada and Jamaica share a calling code with the United States, and no country.
        ("+1 8765551234", ("US",), "country"),
        ("+44 7624123456", ("GB",), "country"),
        ("+44 7624123456", ("IM",), None),
        # A range that is not known yet stands for the main country of its calling code.
        ("+44 70123456", ("GB",), None),
        ("+1 9005550101", (), "premium_rate"),
        ("+1 9005550101", ("US",), "premium_rate"),
        ("+33 899123456", ("FR",), "premium_rate"),
        ("+979 12345678", (), "no_country"),
        ("+883 510012345678", ("US",), "no_country"),
        ("+800 12345678", (), "no_country"),
        ("nonsense", (), "no_country"),
        ("", (), "no_country"),
    ],
)
def test_a_number_may_be_sent_to_or_there_is_a_reason(
    number: str, countries: tuple[str, ...], problem: str | None
) -> None:
    assert destination_problem(number, countries) == problem
