"""Fixtures of every test: databases as the runtime role, a live server, a browser, doubles."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import TransactionTestCase
from playwright.sync_api import Browser, BrowserType
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer
from whitenoise.middleware import WhiteNoiseMiddleware

from tenants.front import forget_fronts
from tenants.rules import forget_rules
from tests.cast_fixtures import acme, beta  # noqa: F401 - fixtures for every test
from tests.services.browser import (
    SHELL,
    WHOLE,
    PageFactory,
    Violation,
    axe_violations,
    engine,
    started,
)
from tests.services.http_sink import HttpSink
from tests.services.looker import Looker
from tests.services.seeds import Seeds
from tests.services.session import (
    database,
    outbox,
    prepare_database,
    shared_cluster,
    watcher,
    watching,
)
from tests.services.smtp import SmtpSink


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """This worker's copy of the migrated template. Tests connect to it as the runtime role; what a
    `transaction=True` test commits is removed by the superuser, because that role may not."""
    prepare_database()
    seeds = Seeds.take(shared_cluster(), database())

    def restore(self: TransactionTestCase) -> None:
        seeds.restore(watcher())

    with watching(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", restore)
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_once() -> Iterator[None]:
    """Every test client looks for all of them anew, which takes as long as two pages."""
    found: dict[str, object] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def remember(self: WhiteNoiseMiddleware) -> None:
        if not found:
            look(self)
            found.update(self.files)
        self.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", remember)
        yield


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """What the process keeps of tenants belongs to the test before."""
    forget_fronts()
    forget_rules()


@pytest.fixture(scope="session")
def _server(django_db_setup: None) -> Iterator[LiveServer]:
    server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture
def live_url(transactional_db: None, _server: LiveServer) -> str:
    """The product served by threads of this process, under the name `localhost`, because passkeys
    need a name. Tenants' own hosts: replace `localhost` by `contoso.localhost`."""
    return _server.url


@pytest.fixture(scope="session")
def browser_engine() -> Iterator[BrowserType]:
    # Playwright's synchronous interface runs an event loop in this thread, which Django would
    # take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with engine() as chromiums:
        yield chromiums


@pytest.fixture(scope="session")
def browser(browser_engine: BrowserType) -> Iterator[Browser]:
    with started(browser_engine, SHELL) as running:
        yield running


@pytest.fixture
def page_factory(browser: Browser) -> Iterator[PageFactory]:
    """`page_factory("mobile")` opens a page; a page error nobody forgave fails the test."""
    factory = PageFactory(browser)
    yield factory
    factory.close()
    assert factory.faults == []


@pytest.fixture
def whole_browser_factory(browser_engine: BrowserType) -> Iterator[PageFactory]:
    """The same in a Chromium with all it has around its engine: notices of the system, say."""
    with started(browser_engine, WHOLE) as running:
        factory = PageFactory(running)
        yield factory
        factory.close()
    assert factory.faults == []


@pytest.fixture
def axe() -> Callable[..., list[Violation]]:
    return axe_violations


@pytest.fixture
def looker(page_factory: PageFactory) -> Iterator[Looker]:
    """A page, and whoever looks at it in light and dark colours, wide and narrow."""
    yield Looker(page_factory("reduced"))
    # A table that can't be added to answers 403; the browser tells the console.
    page_factory.forgive("status of 403")
    page_factory.forgive("status of 404")


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    sink = SmtpSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def http_sink() -> Iterator[HttpSink]:
    sink = HttpSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def outbox_dir() -> Path:
    """The empty folder this worker's messages land in (SSPR_OUTBOX_DIR)."""
    folder = outbox()
    for message in folder.iterdir():
        message.unlink()
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what drives Chromium, so that a quick run can leave it out."""
    for item in items:
        if "browser_engine" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
