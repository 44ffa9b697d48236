"""The stage of the journeys, and the product's addresses with those of the demo."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
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
