"""The commands. Each loads the project, asks the spine, and prints; imports that cost time wait until then."""

from __future__ import annotations

import sys
import uuid
import warnings

import click
from rich.console import Console

from dataset_project.cli import environment
from dataset_project.cli.export import export
from dataset_project.cli.plan import plan
from dataset_project.cli.status import status

SIZES = ("demo", "standard", "full")
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="dataset_project")
def main() -> None:
    """Machine-learning datasets for health care, every item accounted for."""
    # Dagster warns about every preview and beta API that its own decorators use.
    warnings.filterwarnings("ignore", module="dagster")


main.add_command(export)
main.add_command(plan)
main.add_command(status)


@main.command()
@click.argument("families", metavar="[FAMILY]...", nargs=-1)
@click.option("--size", type=click.Choice(SIZES), help="How many partitions (DATASET_SIZE).")
@click.option("--partitions", multiple=True, metavar="KEY|A...B", help="Only these partitions; may be repeated.")
@click.option("--shards", type=click.IntRange(1, 10_000), help="Shards per dataset and run (DATASET_SHARDS).")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes at a time (DATASET_WORKERS).")
@click.option("--executor", type=click.Choice(("multiprocess", "in_process")), help="DATASET_EXECUTOR.")
@click.option("--force", is_flag=True, help="Recompute what is done, too.")
def build(
    families: tuple[str, ...],
    size: str | None,
    partitions: tuple[str, ...],
    shards: int | None,
    workers: int | None,
    executor: str | None,
    force: bool,
) -> None:
    """Bring datasets up to date: all families, or those named. Does nothing when there is nothing to do."""
    options = {"SIZE": size, "SHARDS": shards, "WORKERS": workers, "EXECUTOR": executor}
    overrides = {f"DATASET_{name}": str(value) for name, value in options.items() if value is not None}
    project = environment.load_project(overrides)
    datasets = environment.chosen_datasets(project, families)
    keys = environment.parse_partitions(partitions, datasets)
    environment.require_usable_home()
    environment.require_writable(project.store)
    console = Console()
    console.print(f"data directory  {project.store.location}", highlight=False, soft_wrap=True)
    sys.exit(_build(console, project, datasets, keys, shards, force))


def _build(console, project, datasets, keys, shards, force) -> int:
    from dagster._core.errors import DagsterExecutionInterruptedError
    from dagster._utils.interrupts import capture_interrupts

    from dataset_project.cli import report, terminal
    from dataset_project.cli.progress import BuildProgress
    from dataset_project.orchestration.build import Builder, BuildOptions, chosen_keys
    from dataset_project.orchestration.planning import Planner
    from dataset_project.orchestration.pools import limit_pools

    options = BuildOptions(uuid.uuid4().hex, keys, shards, force)
    planner = Planner(project.store)
    totals = {}
    for dataset in datasets:
        states = planner.plan(dataset, chosen_keys(dataset, options))
        totals[dataset.name] = (len(states), 0 if force else sum(state.is_done for state in states))
    try:
        with (
            terminal.interrupt_watch() as interrupted,
            terminal.only_the_console(console),
            capture_interrupts(),
            environment.dagster_instance() as instance,
            environment.build_lock(instance, options.build_id),
            BuildProgress(console, instance, options.build_id, datasets, totals),
        ):
            limit_pools(instance, project.datasets)
            builder = Builder(project.store, instance, environment.DEFINITIONS, options, interrupted)
            result = builder.build(datasets, project.datasets)
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        console.print("[red]interrupted[/]: what was finished is kept; the same command goes on from there")
        return INTERRUPTED
    report.print_manifest(console, result.manifest)
    report.print_result(console, result)
    return 0 if result.succeeded else 1


@main.command()
def init() -> None:
    """Make the Dagster home and note it in .env, so that bare `dagster` commands use it. `build` does this, too."""
    from dataset_project.orchestration.pools import limit_pools

    project = environment.load_project({})
    environment.require_usable_home()
    home = environment.ensure_dagster_home()
    with environment.dagster_instance() as instance:
        limit_pools(instance, project.datasets)
    click.echo(f"DAGSTER_HOME={home}")


@main.command()
def verify() -> None:
    """Re-hash every published file and compare it with its record and the manifest; exit status 1 on any difference."""
    from dataset_project.cli import report
    from dataset_project.orchestration.manifest import read_manifest
    from dataset_project.orchestration.verification import verify_datasets

    project = environment.load_project({})
    console = Console()
    try:
        manifest = read_manifest(project.store)
    except (FileNotFoundError, NotADirectoryError):
        raise click.ClickException(f"{project.store.location} has no manifest: nothing was built there yet") from None
    with console.status("verifying") as status:
        problems = verify_datasets(
            project.datasets, project.store, manifest, lambda dataset, key: status.update(f"verifying {dataset}/{key}")
        )
    report.print_problems(console, problems, manifest)
    sys.exit(1 if any(problem.is_error for problem in problems) else 0)
