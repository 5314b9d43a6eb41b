"""Buckets as partitions in a real browser, asked of a model: launched by clicking, followed while it goes on, each
green, the report with its pictures."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from dataset_project_tests.end_to_end.browser import PATIENCE_MS, button, materialize, metadata
from dataset_project_tests.end_to_end.servers import deployment
from dataset_project_tests.end_to_end.trials_workplace import (
    ANSWERS,
    asking,
    made_up_trials,
    trials_workplace,
    write_trials,
)
from dataset_project_tests.llm.server import loopback_server

pytestmark = pytest.mark.slow
BUCKETS = [f"bucket_{number:02d}" for number in range(20)]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    directory = tmp_path_factory.mktemp("ui-trials")
    write_trials(directory / "mine.csv", made_up_trials(200))
    with loopback_server(answers=ANSWERS, latency_s=0.5) as server:
        environment = asking(server.url, requests_per_minute="1200")
        workplace = trials_workplace(directory, checkout=True, DATASET_TRIALS__SOURCE="mine.csv", **environment)
        with deployment(workplace) as running:
            yield running


def test_buckets_turn_green_and_the_run_tells_rates_and_cost(served, page, tmp_path):
    workplace = served.workplace
    done = workplace.run(
        "dagster", "asset", "materialize", "-m", "dataset_project.definitions", "--select", "trial_records"
    )
    assert done.returncode == 0, done.stderr
    page.goto(f"{served.url}/assets/categorized_trials")
    materialize(page)
    button(page, "All").click()
    expect(page.get_by_text("20 partitions", exact=True)).to_be_visible()
    page.get_by_role("button", name=re.compile("^Launch")).click()
    page.goto(f"{served.url}/assets/categorized_trials?view=partitions")
    expect(page.get_by_text("Materialized (20)", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    assert workplace.events_per_partition("categorized_trials") == dict.fromkeys(BUCKETS, 1)

    with workplace.instance() as instance:
        (run,) = instance.get_runs(limit=1)
    page.goto(f"{served.url}/runs/{run.run_id}")
    page.get_by_placeholder("Filter").first.fill("answered")
    expect(page.get_by_text(re.compile(r"answered \d+ of \d+")).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"requests/min [\d,]+ of 1,200")).first).to_be_visible()
    page.screenshot(path=tmp_path / "run.png")

    page.goto(f"{served.url}/assets/categorized_trials?view=checks")
    for check in ("one_row_per_trial", "categories_recomputed"):
        expect(page.get_by_text(check, exact=True).first).to_be_visible()

    told = workplace.run("dataset-project", "status").stdout
    assert re.search(r"answered\s+200 of 200", told), told
    workplace.build()
    page.goto(f"{served.url}/assets/categorization_report?view=events")
    for name in ("categories", "cost_and_throughput"):
        metadata(page, name).get_by_text("Show Markdown").click()
        picture = page.get_by_role("dialog").get_by_role("img", name=name)
        expect(picture).to_be_visible()
        assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 200
        page.screenshot(path=tmp_path / f"{name}.png")
        button(page, "Close").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
