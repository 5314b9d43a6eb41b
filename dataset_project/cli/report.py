"""Tables and lines that commands print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

if TYPE_CHECKING:
    from dataset_project.orchestration.build import BuildResult
    from dataset_project.orchestration.verification import Problem

_MOST_LINES = 20
_COUNTED = ("ok", "empty", "failed")


def print_manifest(console: Console, rows: Sequence[dict[str, object]]) -> None:
    """The manifest by dataset: partitions by status, rows, bytes, seconds of computing."""
    table = Table(title="manifest", title_justify="left", box=None, padding=(0, 1, 0, 0), header_style="bold")
    for name in ("family", "dataset"):
        table.add_column(name, no_wrap=True)
    others = sorted({str(row["status"]) for row in rows} - set(_COUNTED))
    for name in (*_COUNTED, *others, "rows", "bytes", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for family, dataset in dict.fromkeys((str(row["family"]), str(row["dataset"])) for row in rows):
        mine = [row for row in rows if row["dataset"] == dataset]
        counts = Counter(str(row["status"]) for row in mine)
        total = {name: sum(row.get(name) or 0 for row in mine) for name in ("rows", "bytes", "seconds")}
        table.add_row(
            family,
            dataset,
            *(str(counts[name]) for name in (*_COUNTED, *others)),
            f"{total['rows']:,}",
            decimal(int(total["bytes"])),
            f"{total['seconds']:.1f}",
        )
    console.print(table)


def print_result(console: Console, result: BuildResult) -> None:
    """What a build did, and what it could not."""
    if not result.runs and result.succeeded:
        console.print("nothing to do: everything is built and intact")
    for dataset, reasons in result.failed.items():
        _print_some(console, [f"[red]failed[/] {dataset}/{key}: {reason}" for key, reason in reasons.items()])
    for dataset, checks in result.failing_checks.items():
        for name, (said, blocks) in checks.items():
            word = "[red]check failed[/]" if blocks else "[yellow]check warns[/]"
            console.print(f"{word} {dataset}/{name}: {said}", soft_wrap=True, highlight=False)
    for dataset, keys in result.waiting.items():
        console.print(f"[yellow]waiting[/] {dataset}: {len(keys)} partitions wait for inputs that are not built")
    for dataset, keys in result.orphans.items():
        console.print(
            f"[yellow]orphans[/] {dataset}: {len(keys)} partitions are no longer planned ({keys[0]} …); "
            "the catalogue leaves them out",
            soft_wrap=True,
            highlight=False,
        )
    unsuccessful = [run_id for run_id, succeeded in result.runs if not succeeded]
    if unsuccessful:
        console.print(f"[red]runs that failed[/]: {', '.join(unsuccessful)} (logs/<run>/ in the data directory)")


def print_problems(console: Console, problems: Sequence[Problem], manifest: Sequence[dict[str, object]]) -> None:
    """What `verify` found."""
    _print_some(console, [f"{each.kind:<12} {each.dataset}/{each.partition}: {each.detail}" for each in problems])
    published = [row for row in manifest if row["published_fingerprint"]]
    files = sum(int(row["files"] or 0) for row in published)
    errors = sum(problem.is_error for problem in problems)
    verdict = f"[red]{errors} problems[/]" if errors else "[green]everything is as recorded[/]"
    console.print(f"{len(published)} of {len(manifest)} planned partitions are published, {files} files: {verdict}")


def _print_some(console: Console, lines: Sequence[str]) -> None:
    for line in lines[:_MOST_LINES]:
        console.print(line, soft_wrap=True, highlight=False)
    if len(lines) > _MOST_LINES:
        console.print(f"… and {len(lines) - _MOST_LINES} more")
