"""Walking the portal in a real browser: what a person does, and what the test looks up for them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Locator, Page

from resets import services
from resets.services import Handle, Origin
from sspr_project.worker import run_once
from tests.cast import Acme

FLOW_URL = re.compile(r"/reset/[0-9a-f-]{36}/")
TYPED = "main input:not([type=hidden]):not([type=radio]):not([readonly])"


@dataclass
class Stage:
    """One browser page on the product, with the cast behind it."""

    page: Page
    url: str
    acme: Acme
    outbox: Path
    forgive: Callable[[str], None]
    language: str = "en"
    screens: int = 0
    fields: int = 0

    def goto(self, path: str) -> None:
        self.page.goto(self.url + path)

    def goto_acme(self, path: str) -> None:
        """The same on the tenant's own host."""
        self.page.goto(self.url.replace("localhost", "acme.localhost") + path)

    @property
    def state(self) -> str:
        return self.page.locator("body").get_attribute("data-state") or ""

    def field(self, name: str) -> Locator:
        return self.page.locator(f"main [name={name}]")

    def fill(self, **values: str) -> None:
        """Types into this screen's fields, and counts the screen and every field it shows."""
        self.screens += 1
        self.fields += self.page.locator(TYPED).filter(visible=True).count()
        for name, value in values.items():
            self.field(name).fill(value)

    def pick(self, method: str) -> None:
        self.page.locator(f"[name=method][value={method}]").check()

    def go_on(self) -> None:
        """The one main button of the page; comes back when the next page stands."""
        with self.page.expect_navigation():
            self.page.locator("main button.primary").click()
        self.page.wait_for_load_state()

    def find_account(self, user_id: str) -> None:
        """The first screen; comes back on the journey's own page, or on a page of the door."""
        self.fill(user_id=user_id)
        self.page.locator("main button.primary").click()
        self.page.wait_for_url(FLOW_URL)
        self.page.wait_for_load_state()

    def messages(self) -> list[dict[str, Any]]:
        """What was sent so far, oldest first, after the worker has been at it."""
        run_once()
        files = sorted(self.outbox.glob("*.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in files]

    def code(self) -> str:
        """The code of the newest message."""
        code: str = self.messages()[-1]["data"]["code"]
        return code

    def start(self, user_id: str) -> Handle:
        """A journey that this browser holds, without the way through the first screen."""
        started = services.start(
            user_id,
            host_tenant=None,
            organisation="",
            origin=Origin("127.0.0.1", "en", self.url),
            now=timezone.now(),
        )
        assert started.handle is not None
        self.hold(started.handle)
        return started.handle

    def hold(self, handle: Handle) -> None:
        cookie = {"name": settings.FLOW_COOKIE_NAME, "value": handle.cookie(), "url": self.url}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict by shape

    def show(self, handle: Handle, query: str = "") -> None:
        self.goto(f"/reset/{handle.flow}/{query}")
