"""Templates that were put together say what Django makes of them, word for word."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template import Context, Engine, Template
from django.template.backends.django import get_installed_libraries
from django.utils import translation

OWN = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
FLAT = "sspr_project.flat_templates.Loader"
NAMES = sorted(
    str(path.relative_to(settings.BASE_DIR / "templates"))
    for path in (settings.BASE_DIR / "templates").rglob("*.html")
)


KNOWN: dict[str, Any] = {
    **dict.fromkeys(("counter", "left", "minutes", "number", "tries", "tries_left"), 2),
    "languages": [("en", "English"), ("de", "Deutsch")],
    "language_choice": "English",
}


class Anything(str):
    """Whatever a template asks for: a text, a list of two, and an object with all attributes."""

    def __iter__(self) -> Iterator[Any]:
        return iter([Anything(f"{self}-1 <b>"), Anything(f"{self}-2")])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return KNOWN.get(name, Anything(f"{self}.{name}"))

    def items(self) -> list[tuple[str, "Anything"]]:
        return [("first", Anything("one")), ("second", Anything("two"))]


class Everything(dict[str, Any]):
    """A context in which every name is something, and every condition true."""

    def __contains__(self, name: object) -> bool:
        return name not in {"None", "False", "True"}

    def __getitem__(self, name: str) -> Any:
        return KNOWN.get(name, Anything(f"{name} & co"))


def engine(loaders: list[Any], dirs: list[Path]) -> Engine:
    return Engine(
        dirs=[str(path) for path in dirs], loaders=loaders, libraries=get_installed_libraries()
    )


@pytest.fixture(scope="module")
def both() -> tuple[Engine, Engine]:
    """As Django does it, and put together."""
    dirs = [settings.BASE_DIR / "templates"]
    return engine([("django.template.loaders.cached.Loader", OWN)], dirs), engine(
        [(FLAT, OWN)], dirs
    )


def shown(template: Template, content: Mapping[str, Any]) -> str:
    """What it says, or how it fails."""
    context = Context()
    context.push(content) if not isinstance(content, Everything) else context.dicts.append(content)
    try:
        return template.render(context)
    except Exception as problem:
        return f"{type(problem).__name__}"


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("content", [{}, Everything()], ids=["nothing", "everything"])
def test_every_template_says_the_same_put_together(
    both: tuple[Engine, Engine], content: Mapping[str, Any], language: str
) -> None:
    written, flat = both
    said = 0
    with translation.override(language):
        for name in NAMES:
            expected = shown(written.get_template(name), content)
            for _ in range(2):
                assert shown(flat.get_template(name), content) == expected, name
            said += " " in expected
    assert said > len(NAMES) * 0.8


def test_most_templates_are_put_together(both: tuple[Engine, Engine]) -> None:
    written, flat = both
    alike = [
        name
        for name in NAMES
        if flat.get_template(name).nodelist is written.get_template(name).nodelist
    ]
    extending = [name for name in NAMES if name.startswith("portal/") and "/_" not in name]
    assert not set(alike) & set(extending)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Engine, Engine]:
    """Two engines over the files that a test writes."""
    return engine([("django.template.loaders.cached.Loader", OWN[:1])], [tmp_path]), engine(
        [(FLAT, OWN[:1])], [tmp_path]
    )


PIECES = {
    "super": {
        "page": '{% extends "base" %}{% block a %}mine, {{ block.super }}{% endblock %}',
        "base": "[{% block a %}theirs{% endblock %}]",
    },
    "blocks in blocks": {
        "page": '{% extends "middle" %}{% block inner %}page{% endblock %}',
        "middle": (
            '{% extends "base" %}{% block a %}<{% block inner %}{% endblock %}>{% endblock %}'
        ),
        "base": "[{% block a %}{% endblock %}{% block b %}b{% endblock %}]",
    },
    "a variable set in a block": {
        "page": (
            '{% extends "base" %}{% load i18n %}'
            "{% block a %}{% get_current_language as x %}{{ x }}{% endblock %}"
        ),
        "base": "{% load i18n %}[{% block a %}{% endblock %}|{{ x }}]",
    },
    "a counter in a piece": {
        "page": '{% for n in "abc" %}{% include "piece" %}{% endfor %}',
        "piece": "{% cycle 1 2 %}",
        "base": "",
    },
    "a piece with values": {
        "page": '{% include "piece" with x="<1>" %}{% include "piece" %}',
        "piece": '{% if x %}{{ x }}{% else %}none{% endif %}{% include "base" %}',
        "base": ".",
    },
    "a piece on its own": {
        "page": '{% with x="1" %}{% include "piece" only %}{% endwith %}',
        "piece": "{% if x %}{{ x }}{% else %}none{% endif %}",
        "base": "",
    },
    "a piece of itself": {
        "page": "{% if x %}{{ x }}{% include 'page' with x='' %}{% endif %}.",
        "base": "",
    },
    "a piece that is not there and not asked for": {
        "page": "{% if missing %}{% include 'nowhere' %}{% endif %}.",
        "base": "",
    },
    "a text before the layout is named": {
        "page": 'before {% extends "base" %}{% block a %}x{% endblock %}',
        "base": "[{% block a %}{% endblock %}]",
    },
    "blocks inside each other": {
        "page": (
            '{% extends "base" %}{% block a %}(a {% block c %}c{% endblock %}){% endblock %}'
            "{% block b %}b{% endblock %}"
        ),
        "base": "{% block c %}{% block a %}{% endblock %}{% endblock %}{% block b %}{% endblock %}",
    },
    "a piece named by a variable": {
        "page": "{% include name %}",
        "piece": "found",
        "base": "",
    },
    "a block in an unknown tag": {
        "page": '{% extends "base" %}{% block a %}x{% endblock %}',
        "base": "{% load l10n %}{% localize off %}[{% block a %}{% endblock %}]{% endlocalize %}",
    },
    "escaping": {
        "page": (
            '{% extends "base" %}{% load i18n %}'
            '{% block a %}{% translate "a & b" %}{{ x }}{% endblock %}'
        ),
        "base": "{% load i18n %}{% autoescape off %}{% block a %}{% endblock %}{% endautoescape %}",
    },
}


@pytest.mark.parametrize("name", PIECES)
def test_what_a_template_may_do_comes_out_the_same(
    made: tuple[Engine, Engine], tmp_path: Path, name: str
) -> None:
    for file, text in PIECES[name].items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    content = {"x": "<i>", "name": "piece"}
    expected, found = (shown(each.get_template("page"), content) for each in made)
    assert "Error" not in expected
    assert found == expected


def test_a_fixed_sentence_is_kept_for_each_language(
    made: tuple[Engine, Engine], tmp_path: Path
) -> None:
    (tmp_path / "page").write_text('{% load i18n %}{% translate "Language" %}', encoding="utf-8")
    template = made[1].get_template("page")
    found = []
    for language in ("en", "de", "en", "fr"):
        with translation.override(language):
            found.append(shown(template, {}))
    assert found == ["Language", "Sprache", "Language", "Langue"]


def test_a_template_that_is_changed_is_read_again_once_the_loaders_are_reset(
    made: tuple[Engine, Engine], tmp_path: Path
) -> None:
    (tmp_path / "page").write_text("before", encoding="utf-8")
    flat = made[1]
    before = shown(flat.get_template("page"), {})
    (tmp_path / "page").write_text("after", encoding="utf-8")
    kept = shown(flat.get_template("page"), {})
    flat.template_loaders[0].reset()
    assert [before, kept, shown(flat.get_template("page"), {})] == ["before", "before", "after"]
