"""A strict JSON schema as a pydantic-core schema.

What the keywords mean belongs here; checking answers and what is said of bad ones is in `json_schema`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import PydanticCustomError, SchemaValidator, core_schema, to_json

# Keywords that say nothing about validity. `format` is an annotation, as JSON Schema 2020-12 has it by default.
_ANNOTATIONS = {"title", "description", "default", "examples", "format", "$schema", "$id", "$comment", "$defs"}
_ANNOTATIONS |= {"definitions", "deprecated"}
_KEYWORDS = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "string": {"minLength", "maxLength", "pattern"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "boolean": set(),
    "null": set(),
}
_KEYWORDS["number"] = _KEYWORDS["integer"]
_WORDS = {"ge": "at least", "le": "at most", "gt": "above", "lt": "below", "multiple_of": "a multiple of"}


class Compiler:
    """Translates one schema. Raises ValueError, naming the place, for what it cannot check."""

    def __init__(self, schema: Mapping[str, Any]):
        self._root = schema
        self._referred: dict[str, Any] = {}

    def compiled(self) -> Any:
        main = self._node(self._root, "$")
        definitions = [schema for schema in self._referred.values() if schema is not None]
        return core_schema.definitions_schema(main, definitions) if definitions else main

    def _node(self, schema: Any, place: str) -> Any:
        if not isinstance(schema, Mapping):
            raise ValueError(f"JSON schema at {place}: must be an object, not {schema!r}")
        for keyword, compile_ in (
            ("$ref", self._reference),
            ("anyOf", self._alternatives),
            ("const", self._constant),
            ("enum", self._enumeration),
        ):
            if keyword in schema:
                self._refuse_others(schema, place, {keyword, "type"} if keyword in ("const", "enum") else {keyword})
                return compile_(schema, place)
        kinds = schema.get("type")
        if isinstance(kinds, str):
            self._refuse_others(schema, place, {"type", *_KEYWORDS.get(kinds, ())})
            return self._typed(kinds, schema, place)
        if isinstance(kinds, (list, tuple)) and kinds:
            self._refuse_others(schema, place, {"type"}.union(*(_KEYWORDS.get(kind, ()) for kind in kinds)))
            return self._any([self._typed(kind, schema, place) for kind in kinds], [str(kind) for kind in kinds])
        raise ValueError(f"JSON schema at {place}: needs type, enum, const, anyOf or $ref")

    def _refuse_others(self, schema: Mapping[str, Any], place: str, known: set[str]) -> None:
        unknown = sorted(set(schema) - known - _ANNOTATIONS)
        if unknown:
            raise ValueError(
                f"JSON schema at {place}: {', '.join(unknown)} cannot be checked here; leave out or reword"
            )

    def _typed(self, kind: str, schema: Mapping[str, Any], place: str) -> Any:
        if kind == "object":
            return self._object(schema, place)
        if kind == "array":
            return self._array(schema, place)
        if kind == "string":
            return core_schema.str_schema(
                strict=True,
                min_length=schema.get("minLength"),
                max_length=schema.get("maxLength"),
                # Searched for anywhere, as JSON Schema has it; Python's own engine knows look-arounds.
                pattern=schema.get("pattern"),
                regex_engine="python-re",
            )
        if kind in ("integer", "number"):
            return self._number(kind, schema)
        if kind == "boolean":
            return core_schema.bool_schema(strict=True)
        if kind == "null":
            return core_schema.none_schema()
        raise ValueError(f"JSON schema at {place}: there is no type {kind!r}")

    def _number(self, kind: str, schema: Mapping[str, Any]) -> Any:
        bounds = {
            name: schema[keyword]
            for name, keyword in (
                ("ge", "minimum"),
                ("le", "maximum"),
                ("gt", "exclusiveMinimum"),
                ("lt", "exclusiveMaximum"),
                ("multiple_of", "multipleOf"),
            )
            if keyword in schema
        }
        if kind == "integer":
            return core_schema.int_schema(strict=True, **_whole(bounds))
        # An integer stays one, so that what is stored is what the model wrote.
        whole = core_schema.int_schema(strict=True)
        real = core_schema.float_schema(strict=True, allow_inf_nan=False, **bounds)
        if bounds:
            wanted = "a number, " + " and ".join(f"{_WORDS[name]} {value}" for name, value in bounds.items())
            # The bounds may be fractions, which an integer validator does not take: they are checked as a number's.
            checked = core_schema.no_info_after_validator_function(_within(bounds), whole)
            return self._any([checked, real], [wanted])
        return self._any([whole, real], ["a number"])

    def _object(self, schema: Mapping[str, Any], place: str) -> Any:
        properties = schema.get("properties", {})
        optional = sorted(set(properties) - set(schema.get("required", ())))
        if schema.get("additionalProperties", True) is not False or optional:
            what = f"; {', '.join(optional)} not required" if optional else ""
            raise ValueError(
                f"JSON schema at {place}: not strict: additionalProperties must be false and all required{what}"
            )
        if set(schema.get("required", ())) - set(properties):
            raise ValueError(f"JSON schema at {place}: requires properties it does not have")
        fields = {
            name: core_schema.typed_dict_field(self._node(sub, f"{place}.{name}"), required=True)
            for name, sub in properties.items()
        }
        return core_schema.typed_dict_schema(fields, extra_behavior="forbid", strict=True)

    def _array(self, schema: Mapping[str, Any], place: str) -> Any:
        if "items" not in schema:
            raise ValueError(f"JSON schema at {place}: an array needs items")
        items = core_schema.list_schema(
            self._node(schema["items"], f"{place}[]"),
            min_length=schema.get("minItems"),
            max_length=schema.get("maxItems"),
            strict=True,
        )
        return core_schema.no_info_after_validator_function(_distinct, items) if schema.get("uniqueItems") else items

    def _reference(self, schema: Mapping[str, Any], place: str) -> Any:
        reference = schema["$ref"]
        if reference not in self._referred:
            self._referred[reference] = None  # being compiled: a schema may contain itself
            target = self._node(self._resolved(reference, place), reference)
            # A definition is wrapped, since its own schema may already carry the name of another.
            self._referred[reference] = core_schema.no_info_after_validator_function(_same, target, ref=reference)
        return core_schema.definition_reference_schema(reference)

    def _resolved(self, reference: str, place: str) -> Any:
        found: Any = self._root
        for part in filter(None, str(reference).removeprefix("#").split("/")):
            name = part.replace("~1", "/").replace("~0", "~")
            if not str(reference).startswith("#") or not isinstance(found, Mapping) or name not in found:
                raise ValueError(f"JSON schema at {place}: {reference} leads nowhere")
            found = found[name]
        return found

    def _alternatives(self, schema: Mapping[str, Any], place: str) -> Any:
        choices = [self._node(sub, f"{place}.anyOf[{number}]") for number, sub in enumerate(schema["anyOf"])]
        return self._any(choices, [str(sub.get("title", sub.get("type", "value"))) for sub in schema["anyOf"]])

    def _any(self, choices: list[Any], names: list[str]) -> Any:
        if len(choices) == 1:
            return choices[0]
        real = [choice for choice in choices if choice["type"] != "none"]
        if len(real) == 1:
            # Its errors name what is wrong inside, a union's do not.
            return core_schema.nullable_schema(real[0])
        return core_schema.union_schema(
            choices,
            mode="smart",
            custom_error_type="alternatives",
            custom_error_message=f"Input should be {' or '.join(names)}".replace("{", "(").replace("}", ")"),
        )

    def _constant(self, schema: Mapping[str, Any], place: str) -> Any:
        return self._literal([schema["const"]], schema, place)

    def _enumeration(self, schema: Mapping[str, Any], place: str) -> Any:
        return self._literal(list(schema["enum"]), schema, place)

    def _literal(self, values: list[Any], schema: Mapping[str, Any], place: str) -> Any:
        kinds = schema.get("type", list(_KEYWORDS))
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        if not all(value is None or isinstance(value, (str, int)) for value in values):
            raise ValueError(f"JSON schema at {place}: enum and const take texts, integers, true, false and null")
        allowed: dict[str, list[Any]] = {}
        for value in values:
            kind = _kind(value)
            if kind in kinds or (kind == "integer" and "number" in kinds):
                allowed.setdefault(kind, []).append(value)
        if not allowed:
            raise ValueError(f"JSON schema at {place}: no value is allowed")
        return self._any([_one_of(kind, of_kind) for kind, of_kind in allowed.items()], [json.dumps(v) for v in values])


def _one_of(kind: str, values: list[Any]) -> Any:
    """One of ``values``, all of one kind. Python takes 1, 1.0 and True for equal, JSON does not."""
    if kind == "string":
        return core_schema.literal_schema(values)
    if kind == "null":
        return core_schema.none_schema()
    strict = core_schema.int_schema(strict=True) if kind == "integer" else core_schema.bool_schema(strict=True)
    return core_schema.chain_schema([strict, core_schema.literal_schema(values)])


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "integer"


def _whole(bounds: dict[str, Any]) -> dict[str, int]:
    """Bounds of an integer; a fraction has no meaning for one."""
    for name, value in bounds.items():
        if value != int(value):
            raise ValueError(f"JSON schema: an integer cannot be bounded by {name} {value}")
    return {name: int(value) for name, value in bounds.items()}


def _within(bounds: Mapping[str, Any]) -> Callable[[int], int]:
    validator = SchemaValidator(core_schema.float_schema(**bounds))

    def checked(value: int) -> int:
        validator.validate_python(float(value))
        return value

    return checked


def _same(value: Any) -> Any:
    return value


def _distinct(items: list[Any]) -> list[Any]:
    seen = set()
    for item in items:
        seen.add(to_json(item))
    if len(seen) < len(items):
        raise PydanticCustomError("distinct", "Items must differ from one another")
    return items
