"""`dataset-project export`: a family's published data as one file for what people do next. One command per family."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from dataset_project.cli import environment


@click.group()
def export() -> None:
    """Published data as one file for what comes next: training, review, a spreadsheet."""


@export.command(short_help="Accepted variants and their originals, for training.")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--combo", "combos", multiple=True, metavar="KEY", help="Only this combination; may be repeated.")
@click.option(
    "--split", "splits", multiple=True, type=click.Choice(("train", "val", "test")), default=("train",),
    show_default=True,
    help="Splits whose variants are taken; may be repeated. Originals come of every split.",
)  # fmt: skip
@click.option("--originals/--no-originals", default=True, show_default=True, help="Also the source sentences.")
def augmentation(path: Path, combos: tuple[str, ...], splits: tuple[str, ...], originals: bool) -> None:
    """Accepted variants of all combinations, or of those named, with their originals: PATH ends in .parquet or .csv.

    Controls that change labels are never exported; the copy control only when it is named.
    """
    from dataset_project.augmentation.export import default_combos, training_tables, write_export

    project = environment.load_project({})
    datasets = {dataset.name: dataset for dataset in project.datasets}
    known = datasets["augmented_sentences"].keys
    unknown = [key for key in combos if key not in known]
    if unknown:
        raise click.UsageError(
            f"no combination {', '.join(map(repr, unknown))}; there are {len(known)}: {known[0]} … {known[-1]}"
        )
    wanted = combos or default_combos(known)
    published = project.store.committed_keys("augmented_sentences", wanted)
    if not published or not project.store.committed_keys("source_sentences"):
        raise click.ClickException("nothing to export: build it first with `dataset-project build augmentation`")
    sentences = project.store.read("source_sentences", "all")
    variants = (project.store.read("augmented_sentences", key) for key in published)
    try:
        counts = write_export(path, training_tables(sentences, variants, splits, originals))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    console = Console()
    missing = len(wanted) - len(published)
    console.print(
        f"{path}: {counts[0]:,} originals, {counts[1]:,} variants of {len(published)} combinations", highlight=False
    )
    if missing:
        console.print(f"[yellow]{missing} combinations are not published and not in it[/]: see the manifest")


@export.command(short_help="Trials with their categories, reasons and facts.")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--partial", is_flag=True,
    help="Also trials of unfinished buckets whose answers are there already, while a build runs or after it stopped.",
)  # fmt: skip
def trials(path: Path, partial: bool) -> None:
    """Trials with their categories, one row each: PATH ends in .parquet or .csv.

    Columns: id, title, status, phases, conditions, interventions, then category, reason, confidence and what decided,
    then each fact as fact_<name>. Failed trials have no category and say why in error. Lists are joined by " | ".
    """
    from dataset_project.trials.export import export_table, finished_rows, write_table

    project = environment.load_project({})
    store = project.store
    if not store.committed_keys("trial_records"):
        raise click.ClickException("nothing to export: build it first with `dataset-project build trials`")
    records = store.read("trial_records", "all", table="records")
    published = store.committed_keys("categorized_trials")
    tables = [store.read("categorized_trials", key) for key in published]
    if partial:
        import pyarrow.compute as pc

        rest = records.filter(pc.invert(pc.is_in(records["bucket"], value_set=_strings(published))))
        tables.append(finished_rows(project.settings.trials, project.settings.llm_directory, rest))
    if not tables:
        raise click.ClickException("no bucket is published yet; --partial takes what is answered already")
    try:
        table = export_table(records, tables)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    _write(path, table, write_table, f"of {records.num_rows:,} trials")
    if missing := records.num_rows - table.num_rows:
        hint = "no answers yet" if partial else "their buckets are not published; --partial takes those with answers"
        Console().print(f"[yellow]{missing:,} trials are not in it[/]: {hint}", highlight=False)


@export.command(short_help="Every call to a model: tokens, cost, latency, outcome.")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def trial_calls(path: Path) -> None:
    """Every call to a model, failed ones too, one row each in order of time: PATH ends in .parquet or .csv.

    Columns: what it was about, run, task, model as the provider named it, attempt, outcome, tokens, cost, latency.
    """
    from dataset_project.trials.export import calls_table, write_table

    project = environment.load_project({})
    try:
        calls = calls_table(project.settings.llm_directory)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from None
    _write(path, calls, write_table, "calls")


def _strings(values):
    import pyarrow as pa

    return pa.array(values, pa.string())


def _write(path: Path, table, write_table, what: str) -> None:
    try:
        write_table(path, table)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    Console().print(f"{path}: {table.num_rows:,} {what}", highlight=False)
