"""Controls: the plain copy that any gain is measured against, and two methods that flip what a text says on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataset_project.augmentation.methods import negation
from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.lexical import looked_up
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.methods.wording import replacing
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.tokens import Passage

_DIRECT = 1.0
_INDIRECT = 2.0


@implements("copy")
def _copy(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """No edit at all: the engine repeats the sources of a combination that is not banded, and never asks this."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        return []

    return propose


@implements("antonym")
def _antonym(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """A word becomes its WordNet opposite in the same form: "happy" → "unhappy", "never" stays to `negate`."""
    table = prepared["wordnet_antonyms"]
    direct, indirect = looked_up(table, _DIRECT), looked_up(table, _INDIRECT)

    def options(lower: str, part: str, tag: str) -> Sequence[str]:
        return direct(lower, part, tag) or indirect(lower, part, tag)[:1]

    return replacing(table, options, guards=("symptom", "quantity", "context"))


@implements("negate")
def _negate(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """One negation more or one less in the passage, where the grammar of it is plain; the intensity does not matter."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        sites = negation.sites(passage.text)
        return draws.choice(sites) if sites else []

    return propose
