"""A categoriser as the settings ask for it: the scheme, its offline rules if it has any, a token counter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from dataset_project.storage.fingerprints import canonical_hash
from dataset_project.trials.categorisers.rule_facts import RuleFacts
from dataset_project.trials.categorisers.steps import Categoriser
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.schemes.scheme import Scheme
from dataset_project.trials.trial import Trial

RULED_SCHEMES = ("kras_g12d_crc", "therapeutic_area")


def has_rules(scheme: Scheme) -> bool:
    """Whether facts of the scheme can be read offline."""
    return scheme.id in RULED_SCHEMES


def rules_hash() -> str:
    """Hash of what the offline rules read: terms, headings, weights."""
    folder = files("dataset_project.trials").joinpath("resources", "rules")
    contents = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()}
    return canonical_hash(dict(sorted(contents.items())))


def what_decides(settings: TrialSettings, scheme: Scheme) -> dict[str, Any]:
    """What of the settings reaches a row, for its fingerprint. Prompts follow from the scheme, whose hash is here."""
    decides: dict[str, Any] = {"scheme": scheme.hash, "categoriser": settings.categoriser}
    if settings.categoriser == "rules":
        return decides
    names = ["model", "reasoning_effort", "max_criteria_tokens", "max_output_tokens"]
    if settings.categoriser == "cascade":
        names += ["strong_model", "votes", "confident"]
    return decides | {name: getattr(settings, name) for name in names}


def ready_categoriser(scheme: Scheme, settings: TrialSettings) -> Categoriser:
    """Raises ValueError for a scheme without offline rules, where the categoriser needs them."""
    return Categoriser(scheme, settings, _rules(scheme), _token_counter(settings.model))


def _rules(scheme: Scheme) -> Callable[[Trial], RuleFacts] | None:
    if scheme.id == "kras_g12d_crc":
        from dataset_project.trials.categorisers.kras_rules import extract
    elif scheme.id == "therapeutic_area":
        from dataset_project.trials.categorisers.therapeutic_rules import extract
    else:
        return None
    return extract


def _token_counter(model: str) -> Callable[[str], int]:
    def count(text: str) -> int:
        from dataset_project.llm.tokens import count_tokens

        return count_tokens(model, text)

    return count
