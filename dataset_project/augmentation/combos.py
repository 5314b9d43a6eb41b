"""Combinations of methods: which there are in a mode, what they are called, and the hash of what they do.

Nothing here runs a method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from math import comb, perm
from typing import Literal

from dataset_project.augmentation.methods.registry import MethodSpec, Registry
from dataset_project.storage.fingerprints import canonical_hash

Mode = Literal["singletons", "pairs", "bounded_k", "all", "ordered"]
CONTROL = "copy"
CONTROL_KEY = f"combo_1_{CONTROL}"
"""The control that gains are measured against, and its partition key."""
# Longer than this a key would not fit a path: it then names its hash instead of its methods.
_LONGEST_KEY = 150


class TooManyCombos(ValueError):
    """A mode that would make more combinations than the cap."""


@dataclass(frozen=True)
class Combo:
    """Methods applied one after another, in this order."""

    methods: tuple[MethodSpec, ...]

    @property
    def k(self) -> int:
        return len(self.methods)

    @cached_property
    def key(self) -> str:
        """Partition key: ``combo_<k>_<methods joined by +>``."""
        names = "+".join(method.id for method in self.methods)
        return f"combo_{self.k}_{names if len(names) <= _LONGEST_KEY else canonical_hash(names)[:16]}"

    @property
    def identity(self) -> list[dict]:
        """What decides its output, in order, ready for hashing."""
        return [method.identity() for method in self.methods]

    @property
    def label_preserving(self) -> bool:
        return all(method.label_preserving for method in self.methods)

    @property
    def resources(self) -> tuple[str, ...]:
        """Partitions of `augmentation_resources` it reads, sorted."""
        return tuple(sorted({name for method in self.methods for name in method.resources}))

    @property
    def floor(self) -> float:
        """Share of the variants asked for that it has to fill: a single method's; combinations have none."""
        return self.methods[0].floor if self.k == 1 else 0.0

    @property
    def cost(self) -> float:
        return sum(method.cost for method in self.methods)


def plan_combos(
    registry: Registry,
    mode: Mode,
    *,
    methods: Sequence[str] = (),
    max_methods: int = 3,
    include_label_changing: bool = False,
    cap: int = 10_000,
) -> list[Combo]:
    """Every combination of ``mode``, singletons first, in registry order. `copy` is always among them.

    ``singletons``: one method each. ``pairs``: also every two. ``bounded_k``: up to ``max_methods``. ``all``: any
    number. ``ordered``: up to ``max_methods`` in every order. ``methods`` limits which take part. Raises TooManyCombos
    above ``cap``, ValueError for an unknown method.
    """
    chosen = _chosen(registry, methods, include_label_changing)
    combining = [name for name in chosen if registry[name].family != "control"]
    deepest = {"singletons": 1, "pairs": 2, "bounded_k": max_methods, "ordered": max_methods}.get(mode, len(combining))
    count = perm if mode == "ordered" else comb
    most = sum(count(len(combining), k) for k in range(2, deepest + 1)) + len(chosen)
    # Exclusive groups leave fewer; far above the cap nobody should wait for them to be enumerated and refused.
    if most > 50 * cap:
        raise _too_many(mode, most, cap)
    combos = [Combo((registry[name],)) for name in chosen]
    for names in _meeting(registry, combining, deepest, permutations if mode == "ordered" else combinations):
        combos.append(Combo(tuple(registry[name] for name in names)))
        if len(combos) > cap:
            raise _too_many(mode, most, cap)
    return combos


def _too_many(mode: str, most: int, cap: int) -> TooManyCombos:
    return TooManyCombos(
        f"mode {mode!r} would make up to {most:,} combinations, the cap is {cap:,}: choose fewer methods, a smaller "
        "max_methods, or raise max_combos"
    )


def _chosen(registry: Registry, methods: Sequence[str], include_label_changing: bool) -> list[str]:
    unknown = [name for name in methods if name not in registry.methods]
    if unknown:
        raise ValueError(f"no method {', '.join(map(repr, unknown))}; there are: {', '.join(registry.methods)}")
    if methods:
        wanted = {*methods, CONTROL}
        return [name for name in registry.methods if name in wanted]
    return [name for name, spec in registry.methods.items() if spec.label_preserving or include_label_changing]


def _meeting(registry: Registry, names: Sequence[str], deepest: int, choose) -> Iterator[tuple[str, ...]]:
    for k in range(2, deepest + 1):
        yield from (chosen for chosen in choose(names, k) if registry.allows(chosen))


def by_key(combos: Sequence[Combo]) -> Mapping[str, Combo]:
    """Combinations by partition key."""
    return {combo.key: combo for combo in combos}
