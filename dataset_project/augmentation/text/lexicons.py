"""What must stay: word lists by reason, and the test of a token against them. Lists stand in
``resources/guards.yaml``."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from dataset_project.storage.fingerprints import canonical_hash

Guard = Literal["negation", "quantity", "context", "person", "symptom", "fixed", "number"]

_PACKAGE = "dataset_project.augmentation"
_ORDER: tuple[Guard, ...] = ("negation", "symptom", "quantity", "person", "context")
_FIXED_KINDS = ("url", "mention", "newline")


def resource_text(name: str) -> str:
    """A shipped resource, as text."""
    return files(_PACKAGE).joinpath("resources", name).read_text(encoding="utf-8")


@cache
def resource(name: str) -> Any:
    """A shipped YAML resource, parsed once."""
    return yaml.load(resource_text(name), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def word_lists_hash() -> str:
    """Hash of every shipped list but the registry, of which each combination takes only its own methods."""
    names = sorted(path.name for path in files(_PACKAGE).joinpath("resources").iterdir() if path.name.endswith(".yaml"))
    return canonical_hash({name: resource_text(name) for name in names if name != "registry.yaml"})


@lru_cache(maxsize=1)
def _lists() -> tuple[dict[str, Guard], tuple[tuple[str, Guard], ...]]:
    whole: dict[str, Guard] = {}
    stems: list[tuple[str, Guard]] = []
    declared = resource("guards.yaml")
    for guard in _ORDER:
        for entry in declared[guard]:
            # YAML reads a bare `no` as False.
            word = {False: "no", True: "yes"}.get(entry, entry) if isinstance(entry, bool) else entry
            if word.endswith("*"):
                stems.append((word[:-1], guard))
            else:
                whole.setdefault(word, guard)
    return whole, tuple(stems)


@lru_cache(maxsize=65_536)
def _word_guard(lower: str) -> Guard | None:
    whole, stems = _lists()
    guard = whole.get(lower)
    if guard:
        return guard
    if lower.endswith("n't"):
        return "negation"
    for stem, reason in stems:
        if lower.startswith(stem):
            return reason
    # A contraction or compound is guarded when a part of it is: "i've", "half-asleep".
    for separator in ("'", "-"):
        if separator in lower:
            found = [_word_guard(part) for part in lower.split(separator)]
            return next((each for each in found if each), None)
    return None


def guard_of(kind: str, lower: str) -> Guard | None:
    """Why a token of this kind and folded text must stay; None when it may change."""
    if kind == "word":
        return _word_guard(lower)
    if kind == "number":
        return "number"
    return "fixed" if kind in _FIXED_KINDS else None
