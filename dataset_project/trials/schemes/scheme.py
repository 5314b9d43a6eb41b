"""A category scheme in use: facts in, one category and its reason out, in code.

Nothing here reads files (`loading`), judges a rule table (`soundness`) or words a prompt (`prompt`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import pyarrow as pa
from pydantic import Field, StrictStr

from dataset_project.trials.schemes import prompt
from dataset_project.trials.schemes.conditions import Condition
from dataset_project.trials.schemes.facts import (
    CONFIDENCE,
    NOTES,
    Entry,
    Fact,
    Line,
    Name,
    extra_problem,
    joined,
)
from dataset_project.trials.trial import Trial

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
CategoryId = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Category(Entry):
    """One category. ``id`` is what is stored; title and description are for people."""

    id: CategoryId
    title: Line
    description: Line


class Rule(Entry):
    """A row of the rule table: the first rule whose ``when`` holds (none: always) decides.

    The category is ``category``, or the value of the fact ``category_from``. ``reason``: text for people, with facts
    as ``{name}``.
    """

    when: Condition | None = None
    category: StrictStr | None = None
    category_from: StrictStr | None = None
    reason: Line

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether the rule applies to these facts."""
        return self.when is None or self.when.holds(facts)

    def category_of(self, facts: Mapping[str, Any]) -> str:
        """The category it gives these facts."""
        return facts[self.category_from] if self.category is None else self.category


class Consistency(Entry):
    """Facts for which ``when`` holds must satisfy ``require``, else they contradict themselves as ``message`` says."""

    when: Condition
    require: Condition
    message: Line

    def fails(self, facts: Mapping[str, Any]) -> bool:
        """Whether the facts contradict themselves here."""
        return self.when.holds(facts) and not self.require.holds(facts)


class Content(Entry):
    """A scheme's file as it stands. Its shape is checked by pydantic, what it names by `loading`."""

    id: Name
    version: Annotated[StrictStr, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")]
    title: Line
    question: Line
    instructions: Line
    facts: Annotated[tuple[Fact, ...], Field(min_length=1)]
    categories: Annotated[tuple[Category, ...], Field(min_length=1)]
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    consistency: tuple[Consistency, ...] = ()
    priority: tuple[StrictStr, ...] = ()


@dataclass(frozen=True)
class Decision:
    """The category of a trial and why, in words."""

    category: str
    reason: str


@dataclass(frozen=True)
class Scheme:
    """A scheme whose file was found sound. Equal content is an equal scheme, wherever the file stands."""

    content: Content

    @property
    def id(self) -> str:
        """The scheme's name."""
        return self.content.id

    @property
    def version(self) -> str:
        """Raised whenever the content changes meaning."""
        return self.content.version

    @property
    def title(self) -> str:
        """For people."""
        return self.content.title

    @property
    def question(self) -> str:
        """What is asked of every trial."""
        return self.content.question

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The scheme's own facts, without confidence and notes."""
        return self.content.facts

    @property
    def categories(self) -> tuple[Category, ...]:
        """In the order of the file."""
        return self.content.categories

    @property
    def priority(self) -> tuple[str, ...]:
        """Ids of the categories that a cascade sends to its strong model."""
        return self.content.priority

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content: layout and comments of the file do not count, the order of values does."""
        text = json.dumps(self.content.model_dump(by_alias=True), separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def decide(self, facts: Mapping[str, Any]) -> Decision:
        """The category of these facts. Raises ValueError for facts that have `problems`."""
        self._must_be_sound(facts)
        rule = next(rule for rule in self.content.rules if rule.holds(facts))
        reason = PLACEHOLDER.sub(lambda found: _in_words(facts[found.group(1)]), rule.reason)
        return Decision(rule.category_of(facts), reason)

    def problems(self, facts: Mapping[str, Any]) -> list[str]:
        """What is wrong with them: facts missing or unknown, wrong types, values outside the enumerations.

        ``confidence`` and ``notes`` may be absent (rules report them apart); where present they are checked too.
        """
        own = {fact.name: fact for fact in self.facts}
        found = [f"{name}: missing" for name in own if name not in facts]
        for name in facts:
            if name in own:
                problem = own[name].problem(facts[name])
            elif name in (CONFIDENCE, NOTES):
                problem = extra_problem(name, facts[name])
            else:
                problem = f"is no fact of the scheme {self.id}"
            if problem:
                found.append(f"{name}: {problem}")
        return found

    def inconsistencies(self, facts: Mapping[str, Any]) -> list[str]:
        """Messages of the consistency rules that fail. Raises ValueError for facts that have `problems`."""
        self._must_be_sound(facts)
        return [rule.message for rule in self.content.consistency if rule.fails(facts)]

    def merge(self, many: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Facts of the parts of one trial, in the order of the parts, as one: each fact by its own ``merge``, the
        lowest confidence, all distinct notes. Raises ValueError for no parts and for facts that have `problems`."""
        if not many:
            raise ValueError("there are no facts to merge: a trial has at least one part")
        for facts in many:
            self._must_be_sound(facts)
        merged = {fact.name: fact.merged([facts[fact.name] for facts in many]) for fact in self.facts}
        if all(CONFIDENCE in facts for facts in many):
            merged[CONFIDENCE] = min(facts[CONFIDENCE] for facts in many)
        if all(NOTES in facts for facts in many):
            merged[NOTES] = joined([facts[NOTES] for facts in many])
        return merged

    def json_schema(self) -> dict[str, Any]:
        """Strict JSON schema of the model's answer. Properties come in the order a model should think: texts and notes
        first, then the verdicts, then how sure it is."""
        texts = {fact.name: fact.json_schema() for fact in self.facts if fact.kind == "text"}
        verdicts = {fact.name: fact.json_schema() for fact in self.facts if fact.kind != "text"}
        properties = {
            **texts,
            NOTES: {"type": "string"},
            **verdicts,
            CONFIDENCE: {"type": "integer", "minimum": 0, "maximum": 100},
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def messages(
        self, trial: Trial, criteria_part: str, part: int = 1, parts: int = 1
    ) -> tuple[tuple[str, str], tuple[str, str]]:
        """The (role, content) pairs that ask for the facts: what is alike for all trials first, then the trial with the
        part of its eligibility criteria that this request shows (``part`` of ``parts``, from 1)."""
        return (("system", self._system), ("user", prompt.user_text(trial, criteria_part, part, parts)))

    def arrow_type(self) -> pa.StructType:
        """The facts as a column of a table: the scheme's own in its order, then confidence and notes."""
        fields = [pa.field(fact.name, fact.arrow_type()) for fact in self.facts]
        return pa.struct([*fields, pa.field(CONFIDENCE, pa.int32()), pa.field(NOTES, pa.string())])

    @cached_property
    def _system(self) -> str:
        return prompt.system_text(self.question, self.content.instructions, self.facts)

    def _must_be_sound(self, facts: Mapping[str, Any]) -> None:
        problems = self.problems(facts)
        if problems:
            raise ValueError(f"facts do not fit the scheme {self.id}: " + "; ".join(problems))


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(value) or "none"
    return value
