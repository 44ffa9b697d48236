"""The page about the file names every key, limit and question, and its example can be applied."""

from pathlib import Path

import pytest

from accounts.question_keys import QUESTION_KEYS
from tenants.config.layout import whole_file
from tenants.config.shapes import Listing, Table
from tests.tenants.config.files import apply

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "policy-as-code.md").read_text("utf-8")


def keys_of(table: Table) -> list[str]:
    found = []
    for name, key in table.keys.items():
        found.append(name)
        inner = key.shape.of if isinstance(key.shape, Listing) else key.shape
        if isinstance(inner, Table):
            found += keys_of(inner)
    return found


@pytest.mark.parametrize("name", sorted({*keys_of(whole_file()), *QUESTION_KEYS}))
def test_every_name_of_the_file_is_explained(name: str) -> None:
    written = (f"`{name}`", f".{name}`", f"[{name}]", f"{name} = ")

    assert any(form in PAGE for form in written)


@pytest.mark.django_db
def test_the_example_of_the_page_can_be_applied() -> None:
    example = PAGE.rpartition("```toml\n")[2].partition("```")[0]

    assert apply(example).problems == ()
