"""Benchmark figures: what one is, how they are printed and written, and when a run counts as failed.

Neutral to the families: measuring belongs to ``benchmarks.<family>``. Every figure is compared with a target and, where
there is one, with a peer measured in the same run; times are CPU time, because wall time depends on who else is there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured number. ``peer`` says what it was compared with, ``ratio`` by how much; both may be absent.

    Without a ``target`` a figure is information: it is always met.
    """

    metric: str
    value: float
    unit: str
    target: float | None = None
    direction: Literal["at_least", "at_most"] = "at_least"
    peer: str | None = None
    ratio: float | None = None

    @property
    def met(self) -> bool:
        """Whether the value reaches the target; NaN never does."""
        if self.target is None:
            return True
        return self.value >= self.target if self.direction == "at_least" else self.value <= self.target

    def as_dict(self) -> dict:
        """All fields and ``met``, ready for JSON."""
        return asdict(self) | {"met": self.met}


def arguments(description: str, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse ``--quick`` and ``--json PATH``, the options every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="smaller sizes: seconds instead of minutes")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the figures as a JSON list")
    return parser.parse_args(argv)


def finish(title: str, figures: Sequence[Figure], path: Path | None = None) -> int:
    """Print the table, write the JSON when asked, and return the exit status: 1 if any target was missed."""
    from rich.console import Console

    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([figure.as_dict() for figure in figures], indent=2) + "\n", encoding="utf-8")
    Console(width=130).print(table(title, figures))
    return 0 if all(figure.met for figure in figures) else 1


def table(title: str, figures: Sequence[Figure]):
    """The figures as a rich table, one row each."""
    from rich.table import Table

    shown = Table(title=title, title_justify="left")
    for name in ("metric", "value", "unit", "target", "ratio", "peer", "met"):
        shown.add_column(name, justify="right" if name in ("value", "target", "ratio") else "left")
    for figure in figures:
        sign = {"at_least": "≥", "at_most": "≤"}[figure.direction]
        shown.add_row(
            figure.metric,
            _number(figure.value),
            figure.unit,
            "" if figure.target is None else f"{sign} {_number(figure.target)}",
            "" if figure.ratio is None else f"{_number(figure.ratio)}x",
            figure.peer or "",
            "" if figure.target is None else ("yes" if figure.met else "NO"),
        )
    return shown


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process (all threads) spent in ``work()``."""
    start = time.process_time()
    work()
    return time.process_time() - start


def paired_medians(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median CPU seconds of two pieces of work run in turn, so that a noisy moment hits both alike."""
    pairs = [(cpu_seconds(first), cpu_seconds(second)) for _ in range(rounds)]
    return tuple(statistics.median(column) for column in zip(*pairs, strict=True))


def median_cpu_seconds(work: Callable[[], object], rounds: int) -> float:
    """Median CPU seconds of ``rounds`` repetitions of ``work()``."""
    return statistics.median(cpu_seconds(work) for _ in range(rounds))


def peak_bytes() -> int:
    """Peak resident memory of this process; on Linux what it alone reached, not what its parent had at the fork."""
    import resource

    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
