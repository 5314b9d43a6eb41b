"""Combinations as partitions in a real browser: materialised by clicking, each green, with its figures and pictures."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dataset_project_tests.end_to_end.browser import PATIENCE_MS, button, materialize, metadata
from dataset_project_tests.end_to_end.sentences_workplace import KEYS, sentences_workplace, write_source
from dataset_project_tests.end_to_end.servers import deployment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    directory = tmp_path_factory.mktemp("ui-augmentation")
    write_source(directory / "mine.csv")
    with deployment(sentences_workplace(directory, checkout=True)) as running:
        yield running


def test_combinations_turn_green_and_the_report_shows_its_pictures(served, page):
    workplace = served.workplace
    done = workplace.run(
        "dagster", "asset", "materialize", "-m", "dataset_project.definitions", "--select", "source_sentences"
    )
    assert done.returncode == 0, done.stderr
    page.goto(f"{served.url}/assets/augmented_sentences")
    materialize(page)
    # These methods read no lexical resource, of which there is none; Dagster asks once.
    button(page, "Confirm").click()
    button(page, "All").click()
    expect(page.get_by_text("4 partitions", exact=True)).to_be_visible()
    button(page, "Launch backfill").click()
    expect(page.get_by_text("Created backfill")).to_be_visible()
    page.goto(f"{served.url}/assets/augmented_sentences?view=partitions")
    expect(page.get_by_text("Materialized (4)", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Failed (0)", exact=True)).to_be_visible()
    expect(page.get_by_text("Materializing (0)", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    assert workplace.events_per_partition("augmented_sentences") == dict.fromkeys(KEYS, 1)

    page.goto(f"{served.url}/assets/augmented_sentences?view=events")
    for key in KEYS:
        page.get_by_text(key, exact=True).first.click()
        expect(page.get_by_text(f"Partition {key} materialized in run")).to_be_visible()
        record = workplace.store.committed("augmented_sentences", key)
        expect(metadata(page, "sha256")).to_have_text(record.sha256)
        expect(metadata(page, "accepted")).to_have_text(f"{record.facts['accepted']}")
    page.goto(f"{served.url}/assets/augmented_sentences?view=checks")
    for check in ("edits_replay", "negation_kept", "scores_recomputed", "labels_kept"):
        expect(page.get_by_text(check, exact=True).first).to_be_visible()

    workplace.build("--partitions", f"{KEYS[0]}...{KEYS[-1]}")
    page.goto(f"{served.url}/assets/augmentation_report?view=events")
    for name in ("yield_by_method", "similarity_by_method", "downstream"):
        metadata(page, name).get_by_text("Show Markdown").click()
        picture = page.get_by_role("dialog").get_by_role("img", name=name)
        expect(picture).to_be_visible()
        assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 200
        button(page, "Close").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
