"""What a ledger says, for those who ask without calling any model: dry runs, exports, reports. Opens no new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_project.llm.ledger import Ledger
from dataset_project.llm.requests import Answer
from dataset_project.llm.runtime import LEDGER

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def open_ledger(directory: Path) -> Iterator[Ledger | None]:
    """The ledger of a runtime's directory; None where nothing was ever asked."""
    path = directory / LEDGER
    if not path.exists():
        yield None
        return
    ledger = Ledger(path)
    try:
        yield ledger
    finally:
        ledger.close()


def answers_on_record(directory: Path, keys: Sequence[str]) -> Mapping[str, Answer]:
    """Answers to requests with these keys that ended well: asking them again costs nothing."""
    with open_ledger(directory) as ledger:
        found = ledger.answers(keys) if ledger else {}
    return {key: answer for key, answer in found.items() if answer.kind == "ok"}


def spent_on_record(directory: Path) -> float:
    """USD spent and reserved so far."""
    with open_ledger(directory) as ledger:
        spending = ledger.spending() if ledger else None
    return spending.spent_usd + spending.reserved_usd if spending else 0.0


def calls_on_record(directory: Path) -> pa.Table | None:
    """Every call ever made, in order; None where nothing was ever asked."""
    with open_ledger(directory) as ledger:
        return ledger.calls_table() if ledger else None
