"""Chromium, and Airflow's pages in it for somebody who has logged in."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = "no Chromium on PATH: run `make browser`, which installs Debian's"
# As root there is no sandbox, and in a container little shared memory.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync"]


@contextmanager
def chromium() -> Generator[Browser]:
    """Run Chromium until the block ends; without one the test fails."""
    if CHROMIUM is None:
        pytest.fail(MISSING, pytrace=False)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


def logged_in(browser: Browser, url: str, username: str, password: str) -> Page:
    """Return a page of the Airflow at ``url`` on which somebody has logged in."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, base_url=url)
    page.set_default_timeout(120_000)
    page.goto("/")
    page.locator('input[name="username"]').fill(username)
    page.locator('input[name="password"]').fill(password)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Dags").first.wait_for()
    return page
