"""What a validator says. A shard asks validators before it publishes; asset checks ask the same ones of what was
published, so a rule is written once.

A validator is a plain function over file paths; which files it gets is decided where it is declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """The verdict of one validator on one partition.

    ``summary`` is one line for people; ``figures`` are what was measured, shown as metadata whether it passed or not.
    """

    passed: bool
    summary: str
    figures: Mapping[str, int | float | str | bool] = field(default_factory=dict)
