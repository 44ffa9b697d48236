"""The first page is light, asks nobody else for anything, and its policy allows nothing inline."""

import pytest
from playwright.sync_api import Response

from tests.journeys.conftest import OpenStage

MOST_BYTES, MOST_REQUESTS = 25 * 1024, 6


@pytest.mark.parametrize("path", ["/", "/reset/"])
def test_the_first_page_is_light(open_stage: OpenStage, path: str) -> None:
    stage = open_stage("mobile")
    session = stage.page.context.new_cdp_session(stage.page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    statuses: set[int] = set()

    def note(answer: Response) -> None:
        statuses.add(answer.status)

    stage.page.on("response", note)

    # The tenant's own host has the tenant's colours on top. `page_factory` refuses other hosts.
    stage.goto_acme(path)
    stage.page.wait_for_load_state("networkidle")

    assert statuses == {200}
    assert 3 <= len(sizes) <= MOST_REQUESTS
    assert sum(sizes) <= MOST_BYTES


def test_the_policy_of_a_page_allows_neither_inline_code_nor_another_place(
    open_stage: OpenStage,
) -> None:
    stage = open_stage("desktop")
    answer = stage.page.goto(f"{stage.url}/reset/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]

    stage.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'x = 1'}))"
    )
    stage.forgive("Content Security Policy")

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert stage.page.evaluate("typeof x") == "undefined"


def test_the_language_of_the_address_wins_over_the_browser(open_stage: OpenStage) -> None:
    stage = open_stage("rtl", language="ar")

    stage.goto("/reset/?mkt=es-us")
    spanish = stage.page.locator("html").get_attribute("lang")
    stage.goto("/")

    assert spanish == "es"
    assert stage.page.locator("html").get_attribute("lang") == "es"


def test_the_language_is_chosen_on_the_page_itself(open_stage: OpenStage) -> None:
    stage = open_stage("nojs")
    stage.goto("/reset/")

    stage.page.locator("[name=mkt]").select_option("ar")
    with stage.page.expect_navigation():
        stage.page.locator("footer button").click()

    assert stage.page.locator("html").get_attribute("dir") == "rtl"
    assert stage.page.locator("[name=user_id]").is_visible()
