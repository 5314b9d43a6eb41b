"""What the UI tests share."""

from __future__ import annotations

import pytest

from dataset_project_tests.end_to_end.browser import browser_page


@pytest.fixture
def page(tmp_path):
    """A page; what it showed last is kept as a picture beside the test's other files."""
    with browser_page() as opened:
        opened.set_default_timeout(60_000)
        yield opened
        opened.screenshot(path=tmp_path / "last.png")
