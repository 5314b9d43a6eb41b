"""Answers against strict JSON schemas, with the reference implementation as the judge."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_project.llm.json_schema import AnswerSchema, InvalidAnswer, answer_schema
from dataset_project_tests.llm.server_calls import GOOD, SCHEMA


def strict(**properties):
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


NODE = {
    **strict(value={"type": "integer"}, next={"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}),
}
RECURSIVE = {**strict(head={"$ref": "#/$defs/node"}), "$defs": {"node": NODE}}

_scalars = st.one_of(
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({"type": "string"}),
    st.just({"type": "number"}),
    st.just({"type": ["string", "null"]}),
    st.just({"type": ["integer", "boolean"]}),
    st.builds(lambda low, high: {"type": "integer", "minimum": low, "maximum": low + high}, *[st.integers(0, 5)] * 2),
    st.builds(lambda low: {"type": "number", "exclusiveMinimum": low / 2}, st.integers(-2, 2)),
    st.builds(lambda most: {"type": "string", "minLength": 1, "maxLength": 1 + most}, st.integers(0, 3)),
    st.just({"type": "string", "pattern": "a|^b"}),
    st.just({"const": "a"}),
    st.lists(st.sampled_from(["a", "b", 1, 0, True, False, None]), min_size=1, max_size=4).map(lambda v: {"enum": v}),
    st.just({"type": "string", "enum": ["a", "ab"]}),
    st.just({"type": ["string", "null"], "enum": ["a", None]}),
)
_schemas = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3).map(lambda p: strict(**p)),
        st.builds(
            lambda items, low, distinct: (
                {"type": "array", "items": items, "minItems": low, "maxItems": low + 2}
                | ({"uniqueItems": True} if distinct else {})
            ),
            inner,
            st.integers(0, 1),
            st.booleans(),
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda choices: {"anyOf": choices}),
    ),
    max_leaves=6,
)
_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 12), st.sampled_from([0.5, -1.25, 2.75]), st.text("abc", max_size=4)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


def _value_for(schema, draw):
    """A value that is likely to satisfy the schema, so that both verdicts are met."""
    if "anyOf" in schema:
        return _value_for(draw(st.sampled_from(schema["anyOf"])), draw)
    for keyword in ("const", "enum"):
        if keyword in schema:
            return schema["const"] if keyword == "const" else draw(st.sampled_from(schema["enum"]))
    kind = schema["type"] if isinstance(schema["type"], str) else draw(st.sampled_from(schema["type"]))
    if kind == "object":
        return {name: _value_for(sub, draw) for name, sub in schema["properties"].items()}
    if kind == "array":
        return [_value_for(schema["items"], draw) for _ in range(draw(st.integers(0, 3)))]
    plain = {"string": st.text("ab", max_size=3), "null": st.none(), "boolean": st.booleans()}
    return draw(plain.get(kind, st.integers(-1, 9)))


@st.composite
def _cases(draw):
    schema = draw(_schemas)
    return schema, draw(_values) if draw(st.integers(0, 3)) == 0 else _value_for(schema, draw)


@settings(max_examples=250, deadline=None)
@given(_cases())
def test_verdicts_are_those_of_the_reference_and_values_stay_what_they_were(case):
    schema, value = case
    is_valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    try:
        content = AnswerSchema(schema).check(json.dumps(value))
    except InvalidAnswer as wrong:
        assert not is_valid and str(wrong)
    else:
        assert is_valid
        assert json.dumps(json.loads(content), sort_keys=True) == json.dumps(value, sort_keys=True)


def test_a_recursive_schema():
    schema = AnswerSchema(RECURSIVE)
    good = '{"head":{"value":1,"next":{"value":2,"next":null}}}'
    assert schema.check(good) == good
    with pytest.raises(InvalidAnswer, match=r"\$\.head\.next\.value: .*integer"):
        schema.check(good.replace("2", '"2"'))


def test_content_is_compact_in_the_schemas_order_each_property_once():
    answer = '{ "notes": "é\\u00e9", "confidence": 1, "healthy": true, "area": "other", "notes": "last" }'
    assert AnswerSchema(SCHEMA).check(answer) == '{"area":"other","healthy":true,"confidence":1,"notes":"last"}'


@pytest.mark.parametrize(
    "around",
    [
        "```json\n{}\n```",
        "Here it is:\n```\n{}\n```\nAnything else?",
        "\ufeff{}",
        "<think>{{1}}</think>\n{}",
        " \n{}\n",
    ],
)
def test_what_stands_around_the_answer_is_no_part_of_it(around):
    assert AnswerSchema(SCHEMA).check(around.replace("{}", GOOD)) == GOOD


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("", "Invalid JSON"),
        ("I cannot say.", "Invalid JSON"),
        (GOOD[:-1], "Invalid JSON"),
        ("[]", "object|dict"),
        ("null", "object|dict"),
        (GOOD.replace("90", "true"), r"\$\.confidence: .*integer"),
        (GOOD.replace("90", '"90"'), r"\$\.confidence: .*integer"),
        (GOOD.replace("90", "101"), r"\$\.confidence: .*100"),
        (GOOD.replace("90", "90.0"), r"\$\.confidence: .*integer"),
        (GOOD.replace("90", "NaN"), r"\$\.confidence"),
        (GOOD.replace("false", '"false"'), r"\$\.healthy: .*boolean"),
        (GOOD.replace("other", "Other"), r"\$\.area: .*'neoplasms', 'circulatory' or 'other'"),
        (GOOD.replace('"notes":""', '"notes":"\\ud800"'), "Invalid JSON"),
        (GOOD.replace('"notes"', '"note"'), r"\$\.notes: .*required\n\$\.note: "),
        ("[" * 100_000, "Invalid JSON"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(answer, told):
    with pytest.raises(InvalidAnswer, match=told) as wrong:
        AnswerSchema(SCHEMA).check(answer)
    assert len(str(wrong.value)) < 2000


def test_numbers_are_finite():
    for text in ("1e999", "NaN", "Infinity", "-Infinity"):
        with pytest.raises(InvalidAnswer):
            AnswerSchema(strict(x={"type": "number"})).check(f'{{"x": {text}}}')


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "object", "properties": {"x": {"type": "null"}}, "additionalProperties": False}, "x not required"),
        ({"type": "object", "properties": {}}, "additionalProperties must be false"),
        ({**strict(), "required": ["y"]}, "does not have"),
        (strict(x={"type": "string", "contentEncoding": "base64"}), r"\$\.x: contentEncoding"),
        (strict(x={"oneOf": [{"type": "null"}]}), r"\$\.x"),
        (strict(x={"type": "text"}), "no type 'text'"),
        (strict(x={"type": "array"}), "needs items"),
        (strict(x={"$ref": "#/$defs/nowhere"}), "leads nowhere"),
        (strict(x={"$ref": "http://example.org/schema"}), "leads nowhere"),
        (strict(x={"enum": [{"a": 1}]}), "enum and const take"),
        (strict(x={"type": "string", "enum": [1]}), "no value is allowed"),
        (strict(x={"type": "integer", "minimum": 0.5}), "bounded by"),
        (strict(x=True), "must be an object"),
        (strict(x={}), "needs type"),
        (strict(x={"type": "string", "pattern": "("}), "(?i)pattern|regex|parenthesis"),
    ],
    ids=str,
)
def test_a_schema_that_cannot_be_checked_is_refused_naming_the_place(schema, told):
    with pytest.raises(ValueError, match=told):
        AnswerSchema(schema)


def test_a_schema_is_compiled_once():
    assert answer_schema("hash", SCHEMA) is answer_schema("hash", SCHEMA)
