"""Conditions over facts: what they look like in a scheme's file, and whether they hold.

Which facts and values exist is not known here: `loading` checks what a condition names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, Field, StrictBool, StrictStr, model_validator

from dataset_project.trials.schemes.facts import Entry

_TESTS = ("equals", "any_of", "contains")
_JUNCTIONS = ("all", "any", "not")


class Condition(Entry):
    """Either a test of one fact (``fact`` with one of ``equals``, ``any_of``, ``contains``), or one of ``all``,
    ``any`` (lists of conditions) and ``not`` (one condition)."""

    model_config = ConfigDict(populate_by_name=True)

    fact: StrictStr | None = None
    equals: StrictBool | StrictStr | None = None
    any_of: tuple[StrictStr, ...] | None = Field(None, min_length=1)
    contains: StrictStr | None = None
    all_of: tuple[Condition, ...] | None = Field(None, alias="all", min_length=1)
    one_of: tuple[Condition, ...] | None = Field(None, alias="any", min_length=1)
    negated: Condition | None = Field(None, alias="not")

    @model_validator(mode="after")
    def _has_one_shape(self) -> Condition:
        tests = [name for name in _TESTS if getattr(self, name) is not None]
        junctions = [part for part in (self.all_of, self.one_of, self.negated) if part is not None]
        if self.fact is not None and len(tests) == 1 and not junctions:
            return self
        if self.fact is None and not tests and len(junctions) == 1:
            return self
        raise ValueError(
            f"a condition is `fact` with exactly one of {', '.join(_TESTS)}, or exactly one of {', '.join(_JUNCTIONS)}"
        )

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether the facts satisfy it."""
        if self.all_of is not None:
            return all(each.holds(facts) for each in self.all_of)
        if self.one_of is not None:
            return any(each.holds(facts) for each in self.one_of)
        if self.negated is not None:
            return not self.negated.holds(facts)
        value = facts[self.fact]
        if self.any_of is not None:
            return value in self.any_of
        if self.contains is not None:
            return self.contains in value
        return value == self.equals

    def tests(self) -> Iterator[Condition]:
        """The tests of single facts it is made of."""
        if self.fact is not None:
            yield self
        for each in (*(self.all_of or ()), *(self.one_of or ()), *((self.negated,) if self.negated else ())):
            yield from each.tests()

    @property
    def values(self) -> tuple[bool | str, ...]:
        """The values that a test names."""
        if self.any_of is not None:
            return self.any_of
        return (self.contains if self.contains is not None else self.equals,)
