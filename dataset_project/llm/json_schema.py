"""Whether an answer satisfies its strict JSON schema, and what to tell the model if not.

A schema is compiled once to a pydantic-core validator, which reads the answer's text directly. The subset is the one
providers accept for strict structured outputs; anything outside it is refused when compiling, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, ValidationError, to_json

from dataset_project.llm.schema_compiler import Compiler

# Most of an error text: it is sent back to the model, and paid for.
_MOST_ERRORS, _LONGEST_ERROR = 6, 300
_KNOWN_SCHEMAS = 256
_FENCE = re.compile(r"```[A-Za-z]*\s*\n(.*?)\n?\s*```", re.DOTALL)


class InvalidAnswer(Exception):
    """An answer that is no JSON or against its schema. The message lists what is wrong, one problem a line."""


class AnswerSchema:
    """A compiled strict JSON schema.

    Numbers: ``1.0`` is no integer here, although JSON Schema takes it for one, so that what is stored has one type.
    Raises ValueError, naming the place, for a schema that is not strict or has a keyword outside the subset.
    """

    def __init__(self, schema: Mapping[str, Any]):
        compiler = Compiler(schema)
        try:
            self._validator = SchemaValidator(compiler.compiled())
        except SchemaError as error:
            raise ValueError(f"JSON schema: {error}") from None

    def check(self, text: str) -> str:
        """The answer in ``text`` as compact JSON, properties in the schema's order.

        A Markdown fence around the answer, or a local model's thoughts before it, are no part of it. Raises
        InvalidAnswer.
        """
        try:
            value = self._validator.validate_json(text)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False)
            bare = _bare(text) if problems[0]["type"] == "json_invalid" else text
            if bare != text:
                return self.check(bare)
            raise InvalidAnswer(_told(problems)) from None
        return to_json(value).decode()


_compiled: dict[str, AnswerSchema] = {}


def answer_schema(schema_hash: str, schema: Mapping[str, Any]) -> AnswerSchema:
    """The compiled ``schema``, from memory where ``schema_hash`` was seen before. Raises ValueError."""
    found = _compiled.get(schema_hash)
    if found is None:
        if len(_compiled) >= _KNOWN_SCHEMAS:
            _compiled.clear()
        found = _compiled[schema_hash] = AnswerSchema(schema)
    return found


def _bare(text: str) -> str:
    """``text`` without what models put around JSON."""
    bare = text.rpartition("</think>")[2].strip().removeprefix("\ufeff")
    fenced = _FENCE.search(bare)
    return fenced[1].strip() if fenced else bare


def _told(problems: list[Any]) -> str:
    lines = []
    for problem in problems[:_MOST_ERRORS]:
        place = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
        lines.append(f"{place}: {problem['msg']}"[:_LONGEST_ERROR])
    if len(problems) > _MOST_ERRORS:
        lines.append(f"and {len(problems) - _MOST_ERRORS} more")
    return "\n".join(lines)
