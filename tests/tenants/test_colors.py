"""What is written on a tenant's colour can be read, whatever the colour is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.colors import BLACK, WHITE, luminance, readable_on

COLORS = st.integers(0, 0xFFFFFF).map("{:06x}".format)
ENOUGH = 4.5


def contrast(one: float, other: float) -> float:
    """WCAG's ratio of two luminances, 1 to 21."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@pytest.mark.parametrize(
    ("color", "expected"),
    [("000000", 0), ("ffffff", 1), ("ff0000", 0.2126), ("00ff00", 0.7152), ("0000ff", 0.0722)],
)
def test_the_luminance_of_a_pure_colour_is_its_weight(color: str, expected: float) -> None:
    assert luminance(color) == pytest.approx(expected)


def test_a_channel_is_bent_as_screens_bend_it() -> None:
    assert luminance("808080") == pytest.approx(0.2159, abs=0.0001)
    assert luminance("0a0a0a") == pytest.approx(10 / 255 / 12.92)


@pytest.mark.parametrize(
    ("color", "text"),
    [("0b5cad", WHITE), ("ffffff", BLACK), ("000000", WHITE), ("ffcc00", BLACK), ("777777", BLACK)],
)
def test_the_text_is_what_stands_out_more(color: str, text: str) -> None:
    assert readable_on(color) == text


@given(COLORS)
def test_every_colour_carries_a_text_that_can_be_read(color: str) -> None:
    text = 1.0 if readable_on(color) == WHITE else 0.0

    assert contrast(text, luminance(color)) >= ENOUGH
