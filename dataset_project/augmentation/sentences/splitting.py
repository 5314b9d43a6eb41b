"""Splitting sentences without leaks: by group, groups that share a text together, fixed as the table grows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataset_project.storage.seeding import seed_for

SHARES = (("train", 0.70), ("val", 0.15), ("test", 0.15))
_SPACE = re.compile(r"\s+")


def folded(text: str) -> str:
    """``text`` without differences of case and spacing: equal for what a model would take for the same sentence."""
    return _SPACE.sub(" ", text).strip().casefold()


def splits_by_group(rows: Sequence[dict[str, str]], seed: int) -> dict[str, str]:
    """Group → train, val or test, 70/15/15.

    Groups that share a text (but for case and spacing) are one cluster and get one split: that of the cluster's
    smallest group id. A group's split depends on its cluster alone, so adding other groups never moves it.
    """
    parent: dict[str, str] = {}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    first: dict[str, str] = {}
    for row in rows:
        group = row["group"]
        parent.setdefault(group, group)
        one, other = root(group), root(first.setdefault(folded(row["text"]), group))
        parent[max(one, other)] = min(one, other)
    return {group: _split(root(group), seed) for group in sorted(parent)}


def _split(group: str, seed: int) -> str:
    place = seed_for(seed, "split", group) / 2**63
    for name, share in SHARES:
        if place < share:
            return name
        place -= share
    return SHARES[-1][0]
