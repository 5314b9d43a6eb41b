"""Reading a scheme's YAML file: its shape, and that everything it names exists. What its rules add up to is judged by
`soundness`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dataset_project.trials.schemes.conditions import Condition
from dataset_project.trials.schemes.facts import CONFIDENCE, MERGES, NOTES, Fact
from dataset_project.trials.schemes.scheme import PLACEHOLDER, Content, Scheme
from dataset_project.trials.schemes.soundness import faults

_TESTS_OF = {"boolean": ("equals",), "enum": ("equals", "any_of"), "enum_list": ("contains",)}
_HINTS = {
    "extra_forbidden": "remove it, or correct its spelling",
    "missing": "add it",
    "string_type": "write text; put numbers, yes, no, true and false in quotes",
    "string_pattern_mismatch": "write an identifier: ids and names have no blanks, texts are not blank",
    "too_short": "add at least one entry",
    "literal_error": "use one of those",
}


class InvalidScheme(ValueError):
    """A scheme that cannot be used: which file, which entry, what is wrong with it and what to do."""

    def __init__(self, file: str, entry: str, problem: str, remedy: str):
        super().__init__(f"{file}: {entry}: {problem}; {remedy}" if entry else f"{file}: {problem}; {remedy}")
        self.file, self.entry, self.problem, self.remedy = file, entry, problem, remedy


def shipped_schemes() -> tuple[str, ...]:
    """Names of the schemes that come with the project."""
    folder = files("dataset_project.trials") / "resources" / "schemes"
    return tuple(sorted(each.name.removesuffix(".yaml") for each in folder.iterdir() if each.name.endswith(".yaml")))


def load_scheme(name_or_path: str) -> Scheme:
    """The shipped scheme of that name, or the one in a YAML file (anything ending in .yaml or .yml is a path).

    Raises InvalidScheme when the file cannot be read, is no scheme, or is not sound.
    """
    name = str(name_or_path)
    if not name.endswith((".yaml", ".yml")):
        if name not in shipped_schemes():
            known = " or ".join(shipped_schemes())
            raise InvalidScheme(
                name, "", "no scheme of this name is shipped", f"use {known}, or the path of a .yaml file"
            )
        source, name = files("dataset_project.trials") / "resources" / "schemes" / f"{name}.yaml", f"{name}.yaml"
    else:
        source = Path(name)
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InvalidScheme(name, "", f"cannot be read: {reason}", "give the path of a readable YAML file") from None
    return parse_scheme(text, name)


def parse_scheme(text: str, file: str) -> Scheme:
    """The scheme in a YAML text; ``file`` names it in errors. Raises InvalidScheme."""
    raw = _read(text, file)
    try:
        content = Content.model_validate(raw)
    except ValidationError as error:
        raise _shape_error(error, file) from None
    for entry, problem, remedy in _naming_faults(content):
        raise InvalidScheme(file, entry, problem, remedy)
    for entry, problem, remedy in faults(content):
        raise InvalidScheme(file, entry, problem, remedy)
    return Scheme(content)


def _read(text: str, file: str) -> dict[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """PyYAML keeps the last of two equal keys without a word, and reads yes, no and 1.5 as no text."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            entry = f"line {node.start_mark.line + 1}"
            for key, count in Counter(map(repr, keys)).items():
                if count > 1:
                    raise InvalidScheme(file, entry, f"the key {key} stands twice", "keep one of them")
            for key in keys:
                if not isinstance(key, str):
                    raise InvalidScheme(file, entry, f"the key {key!r} is no text", "put it in quotes")
            return super().construct_mapping(node, deep=deep)

    try:
        raw = yaml.load(text, Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        entry = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidScheme(
            file, entry, f"is no YAML: {getattr(error, 'problem', error)}", "correct it there"
        ) from None
    if not isinstance(raw, dict):
        raise InvalidScheme(file, "", "holds no mapping", "start with `id:`, `version:`, `title:` …")
    return raw


def _shape_error(error: ValidationError, file: str) -> InvalidScheme:
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    # An unknown key first: misspelt, it explains why another one is missing.
    first = min(errors, key=lambda each: each["type"] != "extra_forbidden")
    path = [part for part in first["loc"] if part != "[key]"]
    entry = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    problem = {"extra_forbidden": "unknown key", "missing": "is missing"}.get(first["type"], first["msg"])
    remedy = _HINTS.get(first["type"], "correct it")
    return InvalidScheme(file, entry, problem.removeprefix("Value error, ") + more, remedy)


Fault = tuple[str, str, str]


def _naming_faults(content: Content) -> Iterator[Fault]:
    """(entry, problem, remedy) of everything that names what does not exist, or names something twice."""
    facts = {fact.name: fact for fact in content.facts}
    categories = [category.id for category in content.categories]
    yield from _twice("facts", [fact.name for fact in content.facts])
    yield from _twice("categories", categories)
    yield from _twice("priority", content.priority)
    for name in (CONFIDENCE, NOTES):
        if name in facts:
            yield f"facts.{name}", "every scheme has this fact already", "remove it, or choose another name"
    for fact in content.facts:
        yield from _fact_faults(fact)
    for name in content.priority:
        if name not in categories:
            yield "priority", f"{name!r} is no category", f"use some of {', '.join(categories)}"
    for number, rule in enumerate(content.rules, start=1):
        entry = f"rules[{number}]"
        if (rule.category is None) == (rule.category_from is None):
            yield entry, "needs exactly one of category and category_from", "give one of them"
        if rule.category is not None and rule.category not in categories:
            yield f"{entry}.category", f"{rule.category!r} is no category", f"use one of {', '.join(categories)}"
        if rule.category_from is not None:
            yield from _source_faults(f"{entry}.category_from", facts.get(rule.category_from), categories)
        for name in PLACEHOLDER.findall(rule.reason):
            if name not in facts:
                yield f"{entry}.reason", f"{{{name}}} is no fact", f"use some of {', '.join(facts)}"
        if rule.when is not None:
            yield from _condition_faults(f"{entry}.when", rule.when, facts)
    for number, rule in enumerate(content.consistency, start=1):
        yield from _condition_faults(f"consistency[{number}].when", rule.when, facts)
        yield from _condition_faults(f"consistency[{number}].require", rule.require, facts)


def _fact_faults(fact: Fact) -> Iterator[Fault]:
    entry, enumerated = f"facts.{fact.name}", fact.kind in ("enum", "enum_list")
    if enumerated and not fact.values:
        yield entry, f"a fact of kind {fact.kind} needs values", "add `values:` with a description for each"
    if not enumerated and fact.values:
        yield entry, f"a fact of kind {fact.kind} has no values", "remove `values:`, or make it an enum"
    if fact.merge not in MERGES[fact.kind]:
        allowed = ", ".join(MERGES[fact.kind])
        yield f"{entry}.merge", f"{fact.merge} does not suit the kind {fact.kind}", f"use one of {allowed}"
    if fact.merge == "strongest" and sorted(fact.order) != sorted(fact.values):
        yield f"{entry}.order", "does not hold every value once", "list all values, strongest first"
    if fact.merge != "strongest" and fact.order:
        yield f"{entry}.order", "only `merge: strongest` has an order", "remove it"


def _condition_faults(entry: str, condition: Condition, facts: dict[str, Fact]) -> Iterator[Fault]:
    for test in condition.tests():
        fact = facts.get(test.fact)
        if fact is None:
            yield entry, f"{test.fact!r} is no fact", f"use one of {', '.join(facts)}"
            continue
        if fact.kind == "text":
            yield entry, f"{fact.name} is text, which decides nothing", "use an enum or a boolean in conditions"
            continue
        used = next(name for name in ("equals", "any_of", "contains") if getattr(test, name) is not None)
        if used not in _TESTS_OF[fact.kind]:
            allowed = " or ".join(_TESTS_OF[fact.kind])
            yield entry, f"{used} does not suit {fact.name}, which is of kind {fact.kind}", f"use {allowed}"
            continue
        known: tuple = (True, False) if fact.kind == "boolean" else tuple(fact.values)
        for value in test.values:
            if value not in known:
                values = "true or false" if fact.kind == "boolean" else ", ".join(fact.values)
                yield entry, f"{value!r} is no value of {fact.name}", f"use {values}"


def _source_faults(entry: str, fact: Fact | None, categories: list[str]) -> Iterator[Fault]:
    if fact is None or fact.kind != "enum":
        yield entry, "must name a fact of kind enum", "name one whose values are categories"
        return
    for value in fact.values:
        if value not in categories:
            yield entry, f"the value {value!r} of {fact.name} is no category", "add the category, or give rules instead"


def _twice(entry: str, names: Iterable[str]) -> Iterator[Fault]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{entry}.{name}", f"stands {count} times", "keep one of them"
