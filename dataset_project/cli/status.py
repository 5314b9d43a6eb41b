"""`dataset-project status`: what is built, what is running, and how calls to models go. Reads records, changes none."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dataset_project.cli import environment
from dataset_project.cli.progress import StepReports, activity_text

if TYPE_CHECKING:
    from dagster import DagsterInstance

_STATUSES = ("ok", "empty", "rejected", "failed", "unavailable", "stale", "missing")


@click.command()
@click.argument("families", metavar="[FAMILY]...", nargs=-1)
@click.option("--follow", is_flag=True, help="Keep it on the screen until Ctrl-C.")
@click.option(
    "--interval", type=click.FloatRange(0.5, 3600), default=2.0, show_default=True, help="Seconds between two looks."
)
def status(families: tuple[str, ...], follow: bool, interval: float) -> None:
    """Every dataset, every running shard, and calls to models: rates against limits, cost, time left.

    Changes nothing, so it may be asked while a build runs. Without FAMILY: all of them.
    """
    project = environment.load_project({})
    environment.chosen_datasets(project, families)  # names a family that does not exist
    console = Console()
    with ExitStack() as opened:
        instance = opened.enter_context(environment.dagster_instance()) if os.environ.get("DAGSTER_HOME") else None
        watch = _Watch(project, families, instance)
        if not follow:
            console.print(watch.look())
            return
        with Live(watch.look(), console=console, auto_refresh=False) as live:
            try:
                while True:
                    time.sleep(interval)
                    live.update(watch.look(), refresh=True)
            except KeyboardInterrupt:
                return


class _Watch:
    """Remembers what shards have reported, so that a look reads only what is new."""

    def __init__(self, project: environment.Project, families: tuple[str, ...], instance: DagsterInstance | None):
        self._project, self._families, self._instance = project, families, instance
        self._reports = StepReports(instance) if instance else None
        self._shards: dict[str, dict[tuple[str, str], dict]] = {}

    def look(self) -> RenderableType:
        return Group(self._datasets(), *self._running(), *self._models())

    def _datasets(self) -> Table:
        from dataset_project.orchestration.planning import Planner

        planner = Planner(self._project.store)
        rows = []
        for dataset in environment.chosen_datasets(self._project, self._families):
            states = planner.plan(dataset)
            counts = Counter(state.status for state in states)
            published = [state.published for state in states if state.published]
            cost = sum(record.cost_usd for record in published)
            rows.append((dataset, counts, len(states), sum(record.rows for record in published), cost))
        shown = [name for name in _STATUSES if name == "ok" or any(counts[name] for _, counts, *_ in rows)]
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
        for name in ("family", "dataset"):
            table.add_column(name, no_wrap=True)
        for name in ("partitions", *shown, "rows", "cost"):
            table.add_column(name, justify="right", no_wrap=True)
        for dataset, counts, total, row_count, cost in rows:
            figures = (str(total), *(str(counts[name]) for name in shown), f"{row_count:,}")
            table.add_row(dataset.family, dataset.name, *figures, f"${cost:,.4f}" if cost else "")
        return table

    def _running(self) -> Iterator[RenderableType]:
        if self._instance is None:
            return
        import dagster as dg

        running = self._instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        for run in running:
            shards = self._shards.setdefault(run.run_id, {})
            for state in self._reports.new_states(run.run_id):
                if "shard" in state:
                    shards[state["dataset"], state["shard"]] = state
            for (dataset, shard), state in sorted(shards.items()):
                done = state["done"] == state.get("of")
                where = "" if done else f", after {state['key']}" if "key" in state else ""
                failed = f", {state['failed']} failed" if state["failed"] else ""
                line = f"{dataset} shard {shard}: {state['done']} of {state.get('of', '?')} partitions{failed}{where}"
                doing = activity_text(state.get("activity", {}))
                yield Text(f"running {run.run_id[:8]}  {line}" + (f"  ({doing})" if doing and not done else ""))
        for run_id in set(self._shards) - {run.run_id for run in running}:
            del self._shards[run_id]

    def _models(self) -> Iterator[RenderableType]:
        from dataset_project.llm.status import status_lines

        settings = self._project.settings
        lines = status_lines(settings.llm, settings.llm_directory)
        if not lines:
            return
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column()
        for label, text in lines:
            grid.add_row(label, text)
        yield Text("\ncalls to models", style="bold")
        yield grid
