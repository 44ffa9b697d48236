"""The stage of the journeys, and the product's addresses with those of the demo."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.template import Template
from django.test.signals import template_rendered
from pytest_django import Settings

from tenants.models import Host
from tests.cast import Acme
from tests.journeys.stage import Stage
from tests.services.browser import PageFactory

OpenStage = Callable[..., Stage]


@pytest.fixture
def every_address(settings: Settings) -> None:
    """The demo's pages too, and pages that no journey reaches yet."""
    settings.ROOT_URLCONF = "tests.journeys.urls"


@pytest.fixture
def open_stage(
    live_url: str, page_factory: PageFactory, acme: Acme, outbox_dir: Path, every_address: None
) -> OpenStage:
    """`open_stage("nojs", color_scheme="dark")` opens a page in a mode, in acme's installation."""
    with acme.inside():
        Host.objects.create(name="acme.localhost")

    def open_in(mode: str = "mobile", *, language: str = "en", **options: Any) -> Stage:
        page = page_factory(mode, **{"locale": language, **options})
        return Stage(page, live_url, acme, outbox_dir, page_factory.forgive, language)

    return open_in


@pytest.fixture
def rendered() -> Iterator[list[str]]:
    """The names of the templates the server rendered, in order."""
    names: list[str] = []

    def note(sender: object, template: Template, **more: object) -> None:
        names.append(str(template.name))

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)
