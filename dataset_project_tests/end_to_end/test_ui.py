"""The UI in a real browser: a dataset materialised by clicking, and what its pages then show."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dataset_project_tests.end_to_end.browser import PATIENCE_MS, button, materialize, metadata
from dataset_project_tests.end_to_end.servers import deployment
from dataset_project_tests.end_to_end.workplace import COHORTS, Workplace

pytestmark = pytest.mark.slow

KEYS = COHORTS[:2]
PICTURES = ("forecast_error", "glucose_by_hour", "label_prevalence", "one_day", "time_in_ranges")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with deployment(Workplace(tmp_path_factory.mktemp("ui"), True, DATASET_SIMULATIONS__PATIENTS="20")) as running:
        yield running


def test_materialise_all_partitions_by_clicking_and_see_each_green(served, page):
    workplace = served.workplace
    page.goto(f"{served.url}/assets/patients")
    materialize(page)
    button(page, "All").click()
    expect(page.get_by_text("2 partitions", exact=True)).to_be_visible()
    button(page, "Launch backfill").click()
    expect(page.get_by_text("Created backfill")).to_be_visible()

    page.goto(f"{served.url}/assets/patients?view=partitions")
    expect(page.get_by_text("Materialized (2)", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    for count in ("Failed (0)", "Missing (0)"):
        expect(page.get_by_text(count, exact=True)).to_be_visible()
    # The event comes before the run has ended; its checks come last.
    expect(page.get_by_text("Materializing (0)", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    assert workplace.events_per_partition("patients") == dict.fromkeys(KEYS, 1)

    page.goto(f"{served.url}/assets/patients?view=events")
    for key in KEYS:
        page.get_by_text(key, exact=True).first.click()
        expect(page.get_by_text(f"Partition {key} materialized in run")).to_be_visible()
        record = workplace.store.committed("patients", key)
        expect(metadata(page, "sha256")).to_have_text(record.sha256)
        expect(metadata(page, "rows")).to_have_text("10")
        expect(metadata(page, "dagster/partition_row_count")).to_have_text("10")
        expect(metadata(page, "status")).to_have_text("ok")


def test_dataset_page_describes_it(served, page):
    page.goto(f"{served.url}/assets/glucose_timeseries")
    expect(page.get_by_text("Plasma, interstitial and sensor glucose")).to_be_visible()
    expect(page.get_by_role("link", name="simulations")).to_be_visible()
    expect(page.get_by_text("Parquet", exact=True)).to_be_visible()
    column = page.get_by_role("row").filter(has=page.get_by_text("plasma_mgdl", exact=True))
    expect(column).to_contain_text("[mg/dL]")
    expect(column).to_contain_text("non-nullable")
    page.goto(f"{served.url}/assets/glucose_timeseries?view=checks")
    for check in ("files_match_records", "series_complete"):
        expect(page.get_by_text(check, exact=True).first).to_be_visible()
    expect(page.get_by_text("This is a blocking asset check.")).to_be_visible()


def test_report_shows_its_pictures(served, page):
    done = served.workplace.run(
        *("dagster", "asset", "materialize", "-m", "dataset_project.definitions"),
        *("--select", "patients,glucose_timeseries,forecast_windows", "--partition-range", f"{KEYS[0]}...{KEYS[1]}"),
    )
    assert done.returncode == 0, done.stderr
    page.goto(f"{served.url}/assets/simulation_report")
    materialize(page)
    expect(page.get_by_text("Launched run")).to_be_visible()
    page.goto(f"{served.url}/assets/simulation_report?view=events")
    expect(page.get_by_text("Materialized in run")).to_be_visible(timeout=PATIENCE_MS)
    assert served.workplace.events_per_partition("simulation_report") == {None: 1}
    for name in PICTURES:
        metadata(page, name).get_by_text("Show Markdown").click()
        picture = page.get_by_role("dialog").get_by_role("img", name=name)
        expect(picture).to_be_visible()
        assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 200
        button(page, "Close").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
