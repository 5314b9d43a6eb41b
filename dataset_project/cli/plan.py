"""`dataset-project plan`: the dry run. What a build would compute and why, and what models would be asked and cost."""

from __future__ import annotations

from collections import Counter

import click
from rich.console import Console
from rich.table import Table

from dataset_project.cli import environment

_MOST_REASONS = 3


@click.command()
@click.argument("families", metavar="[FAMILY]...", nargs=-1)
@click.option("--size", type=click.Choice(("demo", "standard", "full")), help="How many partitions (DATASET_SIZE).")
@click.option("--partitions", multiple=True, metavar="KEY|A...B", help="Only these partitions; may be repeated.")
def plan(families: tuple[str, ...], size: str | None, partitions: tuple[str, ...]) -> None:
    """What a build would do and why, with requests, tokens, dollars and minutes where models are asked.

    Computes nothing, sends nothing to a model. Without FAMILY: all of them.
    """
    from dataset_project.orchestration.build import BuildOptions, chosen_keys
    from dataset_project.orchestration.planning import Planner
    from dataset_project.orchestration.work import PartitionInputs

    project = environment.load_project({} if size is None else {"DATASET_SIZE": size})
    datasets = environment.chosen_datasets(project, families)
    options = BuildOptions("", environment.parse_partitions(partitions, datasets))
    planner = Planner(project.store)
    console = Console()
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for name in ("family", "dataset"):
        table.add_column(name, no_wrap=True)
    for name in ("done", "to do"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("why")
    estimates = []
    for dataset in datasets:
        states = planner.plan(dataset, chosen_keys(dataset, options))
        to_do = [state for state in states if not state.is_done]
        reasons = Counter(_why(state.status, state.reason) for state in to_do)
        shown = [f"{count} {reason}" for reason, count in reasons.most_common(_MOST_REASONS)]
        more = [f"{len(reasons) - _MOST_REASONS} other reasons"] if len(reasons) > _MOST_REASONS else []
        table.add_row(
            dataset.family, dataset.name, str(len(states) - len(to_do)), str(len(to_do)), "; ".join(shown + more)
        )
        if dataset.estimate is not None and to_do:
            inputs = [PartitionInputs(dataset, state.key, project.store) for state in to_do]
            estimates.append((dataset, inputs))
    console.print(table)
    for dataset, inputs in estimates:
        try:
            lines = dataset.estimate(inputs)
        except ValueError as error:  # an input or a model's price that nobody can tell
            raise click.ClickException(f"{dataset.name}: {error}") from None
        print_lines(console, f"{dataset.name}: {len(inputs)} partitions", lines)


def _why(status: str, reason: str) -> str:
    if reason:
        return f"{status}: {reason}"
    return "not built yet" if status == "missing" else status


def print_lines(console: Console, title: str, lines) -> None:
    """(label, text) pairs under a title."""
    console.print()
    console.print(f"[bold]{title}[/]", highlight=False)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column()
    for label, text in lines:
        grid.add_row(label, text)
    console.print(grid)
