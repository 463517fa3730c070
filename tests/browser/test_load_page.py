"""The page of a load run in a real browser: it draws everything, and asks nobody for anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from load_results import MISSING, load_result
from playwright.sync_api import Page, sync_playwright

from simulator.load.page import page_of
from simulator.load.plan import LoadPlan

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the system's Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page()
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def test_the_page_draws_its_plots_and_needs_no_network(browser_page: Page, tmp_path: Path) -> None:
    """Four plots with their lines, no error, and not one request but for the file itself."""
    asked: list[str] = []
    wrong: list[str] = []
    browser_page.on("request", lambda request: asked.append(request.url))
    browser_page.on("pageerror", lambda error: wrong.append(str(error)))
    browser_page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    file = tmp_path / "load.html"
    file.write_text(page_of(load_result()), "utf-8")
    browser_page.goto(file.as_uri())
    for name, traces in (("latency", 6), ("percentiles", 3), ("backlog", 2), ("rate", 3)):
        browser_page.wait_for_selector(f"#{name} .main-svg")
        assert browser_page.locator(f"#{name} .scatterlayer .trace path.js-line").count() == traces
    assert browser_page.inner_text("#verdict") == "clean"
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert wrong == []


def test_what_failed_stands_at_the_top_and_no_name_becomes_markup(browser_page: Page, tmp_path: Path) -> None:
    """A scenario may be called anything."""
    plan = LoadPlan(scenario="</code><script>document.title='taken'</script>")
    file = tmp_path / "load.html"
    file.write_text(page_of(load_result(counts=MISSING, plan=plan)), "utf-8")
    browser_page.goto(file.as_uri())
    browser_page.wait_for_selector("#rate .main-svg")
    assert browser_page.inner_text("#verdict") == "not clean"
    assert "1 missing" in browser_page.inner_text("ul")
    assert browser_page.title() == plan.title
    assert "document.title" in browser_page.inner_text("code")
