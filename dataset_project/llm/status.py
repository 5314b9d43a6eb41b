"""How calls to models go, in words and figures for people: rates against limits, cost against budget, time left."""

from __future__ import annotations

from pathlib import Path

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.on_record import open_ledger
from dataset_project.llm.runtime import LIMITER, limiter_of
from dataset_project.storage import keys


def status_lines(settings: LlmSettings, directory: Path) -> list[tuple[str, str]]:
    """(label, text) pairs about everything the ledger knows; empty where nothing was ever asked."""
    with open_ledger(directory) as ledger:
        if ledger is None:
            return []
        progress, spending = ledger.progress(None), ledger.spending()
    lines = list(progress.figures(settings).items())
    if progress.pending:
        lines.insert(1, ("waiting", f"{progress.pending:,}"))
    if spending.reserved_usd:
        lines.append(("reserved", f"${spending.reserved_usd:,.4f} for what is in flight"))
    for name in sorted(each.name for each in (directory / LIMITER).glob("*") if each.is_dir()):
        state = limiter_of(settings, directory, keys.decode(name)).state()
        if state.cool_down_s > 0:
            lines.append(("told to wait", f"{state.cool_down_s:,.0f} s, by the provider of {keys.decode(name)}"))
    return lines
