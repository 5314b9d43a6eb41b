"""Live progress of a build, from Dagster's own records: the engine events that plan and shard steps write.

Reads the instance only; it never touches the runs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

if TYPE_CHECKING:
    import dagster as dg

    from dataset_project.orchestration.dataset import PartitionedDataset

_SECONDS_BETWEEN_READS = 0.5
_EVENTS_PER_READ = 1000


class StepReports:
    """What plan and shard steps report of themselves, read once each, in order."""

    def __init__(self, instance: dg.DagsterInstance):
        self._instance = instance
        self._cursors: dict[str, str | None] = {}

    def new_states(self, run_id: str) -> Iterator[dict]:
        """Reports of the run since the last call: see `progress_of`."""
        import dagster as dg

        from dataset_project.orchestration.assets import progress_of

        while True:
            page = self._instance.get_records_for_run(
                run_id, self._cursors.get(run_id), of_type=dg.DagsterEventType.ENGINE_EVENT, limit=_EVENTS_PER_READ
            )
            self._cursors[run_id] = page.cursor
            for record in page.records:
                state = progress_of(record.event_log_entry.dagster_event)
                if state is not None:
                    yield state
            if not page.has_more:
                return


def activity_text(activity: Mapping[str, object]) -> str:
    """What goes on between two partitions, in one line."""
    return ", ".join(f"{name} {value}" for name, value in activity.items())


class _Bars(Progress):
    """Bars, and a line below them for what goes on between two partitions."""

    activity = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        if self.activity:
            yield Text(self.activity, style="dim")


class BuildProgress:
    """A bar per dataset: partitions done of all, rows, failures, time left. A context manager around the build."""

    def __init__(
        self,
        console: Console,
        instance: dg.DagsterInstance,
        build_id: str,
        datasets: Sequence[PartitionedDataset],
        totals: dict[str, tuple[int, int]],
    ):
        """``totals``: per dataset, partitions of the build and how many of them are done at its start."""
        self._instance, self._build_id = instance, build_id
        self._bars = _Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rows]:>12,} rows"),
            TextColumn("{task.fields[failures]}", style="red"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._totals = {name: total for name, (total, _) in totals.items()}
        self._done_before = {name: done for name, (_, done) in totals.items()}
        self._to_do = dict.fromkeys(totals, 0)
        self._tasks = {
            dataset.name: self._bars.add_task(
                dataset.name,
                total=totals[dataset.name][0],
                completed=totals[dataset.name][1],
                rows=0,
                failures="",
                start=False,
                visible=False,
            )
            for dataset in datasets
        }
        self._states: dict[tuple[str, str, str], dict] = {}
        self._reader = StepReports(instance)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="build-progress", daemon=True)

    def __enter__(self) -> BuildProgress:
        self._bars.start()
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()
        self._read()
        self._bars.stop()

    def _watch(self) -> None:
        while not self._stop.wait(_SECONDS_BETWEEN_READS):
            self._read()

    def _read(self) -> None:
        import dagster as dg

        from dataset_project.orchestration.build import BUILD_TAG

        for run in self._instance.get_runs(dg.RunsFilter(tags={BUILD_TAG: self._build_id})):
            for state in self._reader.new_states(run.run_id):
                if state["dataset"] in self._tasks:
                    self._apply(run.run_id, state)

    def _apply(self, run_id: str, state: dict) -> None:
        name = state["dataset"]
        task = self._tasks[name]
        self._bars.start_task(task)
        self._bars.update(task, visible=True)
        if "shard" not in state:
            # The plan step. What counted as done may be due again, when an input of it was rebuilt by this build.
            self._to_do[name] += state["to_do"]
            return
        self._states[run_id, name, state["shard"]] = state
        mine = [each for (_, dataset, _), each in self._states.items() if dataset == name]
        before = min(self._done_before[name], self._totals[name] - self._to_do[name])
        failures = sum(each["failed"] for each in mine)
        self._bars.update(
            task,
            completed=before + sum(each["done"] - each["failed"] for each in mine),
            rows=sum(each["rows"] for each in mine),
            failures=f"{failures} failed" if failures else "",
        )
        # Shards of one dataset share their group's figures: the newest report has the latest.
        activity = activity_text(state.get("activity", {}))
        self._bars.activity = f"{name}: {activity}" if activity and state["done"] < state.get("of", 1) else ""
