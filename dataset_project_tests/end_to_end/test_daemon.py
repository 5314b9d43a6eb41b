"""Backfills through the real daemon and web server: what people launch in the UI, asked for in its own GraphQL."""

from __future__ import annotations

import pytest

from dataset_project_tests.end_to_end.servers import deployment
from dataset_project_tests.end_to_end.workplace import COHORTS, Workplace, wait_for

pytestmark = pytest.mark.slow

PAIR = ("patients", "glucose_timeseries")


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> dict[str, str]:
    """SHA-256 of every file of a plain build."""
    workplace = Workplace(tmp_path_factory.mktemp("reference"))
    workplace.build()
    return workplace.hashes(*PAIR)


@pytest.fixture
def served(tmp_path):
    with deployment(Workplace(tmp_path, checkout=True)) as running:
        yield running


def _statuses(workplace: Workplace) -> dict[tuple[str, str], str]:
    """Status by partition in the manifest file, nothing before it is there."""
    if not (workplace.data / "manifest.parquet").exists():
        return {}
    return {names: row["status"] for names, row in workplace.manifest().items()}


def test_backfill_of_scattered_partitions_then_the_manifest(served, reference):
    workplace, chosen = served.workplace, (COHORTS[0], COHORTS[2], COHORTS[3])
    assert served.ended(served.backfill(PAIR, chosen)) == "COMPLETED_SUCCESS"

    for dataset in PAIR:
        assert workplace.events_per_partition(dataset) == dict.fromkeys(chosen, 1)
        for event in workplace.events(dataset):
            record = workplace.store.committed(dataset, event.partition)
            assert event.metadata["sha256"].value == record.sha256
            assert event.metadata["dagster/partition_row_count"].value == record.rows > 0
            assert event.metadata["reused"].value is False
            assert event.metadata["run_id"].value == record.run_id
    left_out = f"partition={COHORTS[1]}"
    assert workplace.hashes() == {name: value for name, value in reference.items() if left_out not in name}

    def all_are_in_the_manifest() -> bool:
        statuses = _statuses(workplace)
        return all(statuses.get((dataset, key)) == "ok" for dataset in PAIR for key in chosen)

    # The sensor asks for the manifest while the second run may still be at work: it has to ask again after that.
    wait_for("a manifest with every partition of the backfill", all_are_in_the_manifest, 120)
    rows = workplace.manifest()
    assert [rows[dataset, COHORTS[1]]["status"] for dataset in PAIR] == ["missing", "missing"]
    assert {row["disagreement"] for row in rows.values()} == {""}
    assert rows["simulation_report", "all"]["status"] == "missing"


def test_failed_partition_is_in_the_manifest_and_heals_from_failure(served, reference, tmp_path):
    workplace, lost = served.workplace, COHORTS[1]
    chosen = COHORTS[:3]
    assert served.ended(served.backfill(("patients",), chosen)) == "COMPLETED_SUCCESS"
    # An input goes away, as when the disk it is on is not mounted: its partition downstream cannot be computed.
    directory, away = workplace.data / "patients" / f"partition={lost}", tmp_path / "away"
    directory.rename(away)
    failed = served.backfill(("glucose_timeseries",), chosen)
    assert served.ended(failed) in ("COMPLETED_FAILED", "FAILED")
    good = {key: 1 for key in chosen if key != lost}
    assert workplace.events_per_partition("glucose_timeseries") == good, "the others are not lost with it"

    def failure_in_the_manifest() -> dict | None:
        row = _statuses(workplace) and workplace.manifest()["glucose_timeseries", lost]
        return row if row and row["status"] == "failed" else None

    row = wait_for("a manifest that tells of the failure", failure_in_the_manifest, 120)
    assert row["reason"].startswith(f"needs patients/{lost}, which is missing")
    assert row["items_failed"] == row["items_planned"] == 1

    away.rename(directory)
    assert served.ended(served.reexecute_from_failure(failed)) == "COMPLETED_SUCCESS"
    assert workplace.events_per_partition("glucose_timeseries") == good | {lost: 1}, "only what failed ran again"
    names = {f"{dataset}/partition={key}/data.parquet" for dataset in PAIR for key in chosen}
    assert workplace.hashes() == {name: reference[name] for name in names}
    wait_for("a manifest that is healed", lambda: _statuses(workplace).get(("glucose_timeseries", lost)) == "ok", 120)
