"""Headless Chromium for looking at the UI as people do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

# The backfill daemon looks every 30 s, and that cannot be set.
PATIENCE_MS = 180_000
NAMES = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: tests may run as root. The rest keeps the browser from talking to anybody but our server.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str:
    """Path of a Chromium; root installs Debian's when there is none. Fails saying what to do."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (("apt-get", "update"), ("apt-get", "install", "-y", "--no-install-recommends", "chromium")):
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=600)
        found = shutil.which("chromium")
    assert found, f"the UI tests need Chromium: none of {', '.join(NAMES)} is installed (apt-get install chromium)"
    return found


@contextmanager
def browser_page(width: int = 1600, height: int = 1000) -> Iterator[Page]:
    """A page of a fresh browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), headless=True, args=FLAGS)
        try:
            yield browser.new_page(viewport={"width": width, "height": height})
        finally:
            browser.close()


def button(page: Page, name: str):
    """A button by its whole name."""
    return page.get_by_role("button", name=name, exact=True)


def materialize(page: Page) -> None:
    """Open the dialog of an asset's page."""
    # By part of its name: an icon's and an ellipsis belong to it, too.
    page.get_by_role("button", name="Materialize").first.click()


def metadata(page: Page, name: str):
    """The value beside a metadata entry's name, in the table of the event that is shown."""
    label = page.get_by_role("cell", name=name, exact=True)
    return label.locator("xpath=following-sibling::td[1]")
