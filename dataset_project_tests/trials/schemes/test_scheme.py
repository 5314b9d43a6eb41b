"""Facts in, category out: deciding, judging, merging, asking and storing."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_project.trials.schemes.loading import load_scheme, parse_scheme, shipped_schemes
from dataset_project_tests.trials.schemes.examples import SMALL, facts_of
from dataset_project_tests.trials.schemes.strict import violations

SCHEME = parse_scheme(SMALL, "small.yaml")
SHIPPED = [load_scheme(name) for name in shipped_schemes()]
ALL = [SCHEME, *SHIPPED]
GUT = {"why": "colon", "tumour": True, "site": "gut", "tags": ["young"]}


def _ids(scheme) -> str:
    return scheme.id


def test_the_first_rule_that_holds_decides():
    assert SCHEME.decide(GUT).category == "1"
    assert SCHEME.decide({**GUT, "tags": ["rare"]}).category == "1.5"
    assert SCHEME.decide({**GUT, "tumour": False}).category == "none"


def test_a_reason_shows_facts_in_words():
    assert SCHEME.decide(GUT).reason == "tumour of gut, tags young, tumour yes"
    assert SCHEME.decide({**GUT, "tags": []}).reason == "tumour of gut, tags none, tumour yes"


def test_a_fact_with_braces_is_shown_as_it_is():
    reason = SCHEME.decide({**GUT, "tumour": False, "why": "{site} {0} {why.__class__}"}).reason
    assert reason == "no tumour: {site} {0} {why.__class__}"


def test_stored_facts_decide_alike_with_confidence_and_notes_and_as_tuples():
    stored = {**GUT, "tags": ("young",), "confidence": 80, "notes": ""}
    assert SCHEME.decide(stored) == SCHEME.decide(GUT)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tumour": "yes"}, "tumour: must be true or false, not 'yes'"),
        ({"tumour": 1}, "tumour: must be true or false, not 1"),
        ({"site": "Gut"}, "site: 'Gut' is none of gut, skin, none_given"),
        ({"site": None}, "site: None is none of gut, skin, none_given"),
        ({"site": ["gut"]}, "site: ['gut'] is none of gut, skin, none_given"),
        ({"tags": "rare"}, "tags: must be a list, not 'rare'"),
        ({"tags": ["rare", "old"]}, "tags: 'old' is none of rare, young"),
        ({"why": None}, "why: must be text, not None"),
        ({"confidence": 101}, "confidence: must be a whole number from 0 to 100, not 101"),
        ({"confidence": True}, "confidence: must be a whole number from 0 to 100, not True"),
        ({"confidence": 0.9}, "confidence: must be a whole number from 0 to 100, not 0.9"),
        ({"notes": None}, "notes: must be text, not None"),
        ({"colour": "red"}, "colour: is no fact of the scheme small"),
    ],
)
def test_problems_name_the_fact_and_what_is_wrong(change, problem):
    assert SCHEME.problems({**GUT, **change}) == [problem]
    with pytest.raises(ValueError, match="facts do not fit the scheme small: "):
        SCHEME.decide({**GUT, **change})


def test_missing_facts_are_problems_and_sound_ones_have_none():
    assert SCHEME.problems({}) == ["why: missing", "tumour: missing", "site: missing", "tags: missing"]
    assert SCHEME.problems(GUT) == []


def test_inconsistencies_are_the_failing_rules_messages():
    assert SCHEME.inconsistencies(GUT) == []
    assert SCHEME.inconsistencies({**GUT, "tumour": False, "tags": []}) == ["a site without a tumour"]
    assert SCHEME.inconsistencies({**GUT, "tumour": False}) == []


def test_merging_takes_each_fact_by_its_own_way():
    one = {"why": "", "tumour": False, "site": "none_given", "tags": ["young"], "confidence": 90, "notes": "a"}
    two = {"why": "skin", "tumour": True, "site": "skin", "tags": ["rare"], "confidence": 60, "notes": " "}
    three = {"why": "gut", "tumour": False, "site": "none_given", "tags": [], "confidence": 75, "notes": "b"}
    assert SCHEME.merge([one, two, three]) == {
        **{"why": "skin", "tumour": True, "site": "skin", "tags": ["rare", "young"]},
        **{"confidence": 60, "notes": "a; b"},
    }


def test_merging_one_part_takes_repetitions_out_and_changes_nothing_else():
    facts = {**GUT, "confidence": 40, "notes": "x"}
    assert SCHEME.merge([facts]) == facts
    assert SCHEME.merge([{**facts, "tags": ["young", "rare", "young"]}]) == {**facts, "tags": ["rare", "young"]}


def test_merging_nothing_or_nonsense_is_an_error():
    with pytest.raises(ValueError, match="no facts to merge"):
        SCHEME.merge([])
    with pytest.raises(ValueError, match="site: 'x' is none of"):
        SCHEME.merge([GUT, {**GUT, "site": "x"}])


def test_an_exclusion_in_any_part_shuts_the_patient_out():
    scheme = load_scheme("kras_g12d_crc")
    part = {"evidence": "mCRC", "colorectal_adenocarcinoma_accepted": True, "kras_in_eligibility": False}
    part |= {"mutation_requirement": "none", "cancer_scope": "colorectal_only"}
    no_bowel = {**part, "colorectal_adenocarcinoma_accepted": False, "cancer_scope": "solid_tumours"}
    for order in ([no_bowel, part], [part, no_bowel]):
        assert scheme.decide(scheme.merge(order)).category == "4"
    last = {**part, "evidence": "exclusion: KRAS mutation", "kras_in_eligibility": True}
    last["mutation_requirement"] = "kras_wild_type_only"
    merged = scheme.merge([part, part, last])
    assert scheme.decide(part).category == "3"
    assert scheme.decide(merged).category == "4"
    assert merged["evidence"] == "mCRC; exclusion: KRAS mutation"
    assert scheme.inconsistencies(merged) == []


@pytest.mark.parametrize("scheme", ALL, ids=_ids)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_answer_that_the_schema_allows_has_a_category_and_merges(scheme, data):
    one, two = (data.draw(facts_of(scheme.json_schema())) for _ in range(2))
    assert scheme.problems(one) == []
    decision = scheme.decide(one)
    assert decision.category in {category.id for category in scheme.categories}
    assert decision.reason
    merged = scheme.merge([one, two])
    assert scheme.problems(merged) == []
    assert scheme.merge([merged, merged]) == merged
    assert scheme.decide(merged).category
    assert all(isinstance(message, str) for message in scheme.inconsistencies(merged))


@pytest.mark.parametrize("scheme", ALL, ids=_ids)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_facts_survive_a_table_and_decide_alike(scheme, data):
    facts = data.draw(facts_of(scheme.json_schema()))
    stored = pa.array([facts], type=scheme.arrow_type()).to_pylist()[0]
    assert stored == facts
    assert scheme.decide(stored) == scheme.decide(facts)


@pytest.mark.parametrize("scheme", ALL, ids=_ids)
def test_the_json_schema_is_strict(scheme):
    assert violations(scheme.json_schema()) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": [], "additionalProperties": False},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {
            **{"type": "object", "required": ["a"], "additionalProperties": False},
            "properties": {"a": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}},
        },
    ],
)
def test_the_strict_rules_catch_what_breaks_them(broken):
    assert violations(broken) != []


@pytest.mark.parametrize("scheme", SHIPPED, ids=_ids)
def test_the_openai_library_finds_nothing_to_make_stricter(scheme):
    from openai.lib._pydantic import _ensure_strict_json_schema

    schema = scheme.json_schema()
    copy = json.loads(json.dumps(schema))
    assert _ensure_strict_json_schema(copy, path=(), root=copy) == schema


def test_a_model_thinks_before_it_judges():
    assert list(SCHEME.json_schema()["properties"]) == ["why", "notes", "tumour", "site", "tags", "confidence"]
    for scheme in SHIPPED:
        names = list(scheme.json_schema()["properties"])
        kinds = {fact.name: fact.kind for fact in scheme.facts}
        assert kinds[names[0]] == "text" and names[-1] == "confidence"
        verdicts = [kinds.get(name) not in ("text", None) for name in names[:-1]]
        assert verdicts == sorted(verdicts)


def test_the_table_type_keeps_the_schemes_order():
    assert str(SCHEME.arrow_type()) == (
        "struct<why: string, tumour: bool, site: string, tags: list<item: string>, confidence: int32, notes: string>"
    )


def test_the_hash_is_of_the_content_not_of_the_layout():
    assert parse_scheme("# a comment\n" + SMALL.replace("\n    message:", "\n    message:  "), "x").hash == SCHEME.hash
    assert len(SCHEME.hash) == 64
    swapped = SMALL.replace("{gut: The gut., skin: The skin.", "{skin: The skin., gut: The gut.")
    reworded = SMALL.replace("Is it a tumour?", "Is it one?")
    assert len({SCHEME.hash, parse_scheme(swapped, "x").hash, parse_scheme(reworded, "x").hash}) == 3
