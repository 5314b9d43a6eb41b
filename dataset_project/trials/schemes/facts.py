"""Facts of a scheme: their kinds and values, what is wrong with a given value, and how those of several parts merge.

What categories follow from facts belongs to `scheme`; reading them from YAML to `loading`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, StrictStr

Kind = Literal["boolean", "enum", "enum_list", "text"]
Merge = Literal["any", "all", "first", "strongest", "union"]

MERGES: Mapping[str, tuple[Merge, ...]] = {
    "boolean": ("any", "all", "first"),
    "enum": ("strongest", "first"),
    "enum_list": ("union", "first"),
    "text": ("first", "union"),
}
"""The ways in which a fact of each kind may be merged."""

CONFIDENCE, NOTES = "confidence", "notes"
"""The two facts that every scheme has beside its own: integer percent, and free text that may be empty."""

CONFIDENCE_DESCRIPTION = (
    "How sure you are that every fact is right, as a whole percentage from 0 to 100. "
    "Below 70 when the text is silent, ambiguous or contradicts itself on a fact that matters."
)
NOTES_DESCRIPTION = "What a reviewer should know: contradictions, gaps, cohorts that differ. Empty if there is nothing."

Name = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Line = Annotated[StrictStr, Field(min_length=1, pattern=r"\S")]


class Entry(BaseModel):
    """An entry of a scheme's file: unknown keys are an error, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(Entry):
    """One fact. ``values``: value -> description, for the two enumerations, in the order they are offered.

    ``merge`` says how the parts of one long trial combine: ``any``/``all`` of the booleans, the ``first`` part that
    says something, the ``strongest`` value (``order``, strongest first), the ``union`` of the lists or distinct texts.
    """

    name: Name
    kind: Kind
    description: Line
    values: dict[Name, Line] = {}
    merge: Merge
    order: tuple[StrictStr, ...] = ()

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value, or None. A list may repeat itself: strict schemas cannot forbid it, and a union
        of parts, be it of one, takes repetitions out."""
        if self.kind == "boolean":
            return None if isinstance(value, bool) else f"must be true or false, not {value!r}"
        if self.kind == "text":
            return None if isinstance(value, str) else f"must be text, not {value!r}"
        if self.kind == "enum":
            return None if isinstance(value, str) and value in self.values else self._none_of(value)
        if not isinstance(value, list | tuple):
            return f"must be a list, not {value!r}"
        for each in value:
            if not isinstance(each, str) or each not in self.values:
                return self._none_of(each)
        return None

    def merged(self, values: Sequence[Any]) -> Any:
        """The parts' values, in the order of the parts, as one."""
        if self.merge == "any":
            return any(values)
        if self.merge == "all":
            return all(values)
        if self.merge == "strongest":
            return min(values, key=self.order.index)
        if self.merge == "first":
            return next((value for value in values if value not in ("", [], ())), values[0])
        if self.kind == "text":
            return joined(values)
        named = {each for value in values for each in value}
        return [value for value in self.values if value in named]

    def json_schema(self) -> dict[str, Any]:
        """The fact's property in a strict JSON schema. What it means stands in the prompt, once."""
        if self.kind in ("boolean", "text"):
            return {"type": "boolean" if self.kind == "boolean" else "string"}
        one = {"type": "string", "enum": list(self.values)}
        return one if self.kind == "enum" else {"type": "array", "items": one}

    def arrow_type(self) -> pa.DataType:
        """The fact's type in a table."""
        if self.kind == "boolean":
            return pa.bool_()
        return pa.list_(pa.string()) if self.kind == "enum_list" else pa.string()

    def _none_of(self, value: Any) -> str:
        return f"{value!r} is none of {', '.join(self.values)}"


def joined(texts: Sequence[str]) -> str:
    """Distinct, non-blank texts in order, separated by semicolons."""
    return "; ".join(dict.fromkeys(text.strip() for text in texts if text.strip()))


def extra_problem(name: str, value: Any) -> str | None:
    """What is wrong with a value of ``confidence`` or ``notes``, or None."""
    if name == NOTES:
        return None if isinstance(value, str) else f"must be text, not {value!r}"
    whole = isinstance(value, int) and not isinstance(value, bool)
    return None if whole and 0 <= value <= 100 else f"must be a whole number from 0 to 100, not {value!r}"
