"""Every fault of a scheme's file, with the one error that names it."""

# ruff: noqa: E501 (a fault per line reads best)

from __future__ import annotations

import re

import pytest

from dataset_project.trials.schemes.loading import InvalidScheme, load_scheme, parse_scheme, shipped_schemes
from dataset_project_tests.trials.schemes.examples import SMALL

SITE = "values: {gut: The gut., skin: The skin., none_given: Not said.}"


def _error(old: str, new: str) -> InvalidScheme:
    assert SMALL.count(old) == 1, old
    with pytest.raises(InvalidScheme) as caught:
        parse_scheme(SMALL.replace(old, new), "small.yaml")
    return caught.value


FAULTS = {
    "unknown key at the top": ("title: Small", "titel: Small", "titel", "unknown key"),
    "missing key": ("question: Is it a tumour?\n", "", "question", "is missing"),
    "unknown key of a fact": ("{name: why, kind: text,", "{name: why, sort: x, kind: text,", "facts[1].sort", "unknown key"),
    "unknown kind": ("name: why, kind: text", "name: why, kind: prose", "facts[1].kind", "should be 'boolean', 'enum'"),
    "no facts": (SMALL[SMALL.index("facts:") : SMALL.index("categories:")], "facts: []\n", "facts", "at least 1 item"),
    "no categories": (
        SMALL[SMALL.index("categories:") : SMALL.index("priority:")], "categories: []\n", "categories", "at least 1 item",
    ),
    "categories left out": (SMALL[SMALL.index("categories:") : SMALL.index("priority:")], "", "categories", "is missing"),
    "number as an id": ('{id: "1.5", title', "{id: 1.5, title", "categories[2].id", "valid string"),
    "number as a version": ('version: "1"', "version: 1", "version", "valid string"),
    "yes as a value": ("gut: The gut.", "yes: The gut.", "line 13", "the key True is no text"),
    "id with a blank": ("{id: none, title", "{id: no tumour, title", "categories[3].id", "should match pattern"),
    "blank reason": ("reason: another tumour", 'reason: " "', "rules[3].reason", "should match pattern"),
    "fact twice": ("name: tumour, kind", "name: why, kind", "facts.why", "stands 2 times"),
    "category twice": ('id: "1.5"', 'id: "1"', "categories.1", "stands 2 times"),
    "priority twice": ('priority: ["1"]', 'priority: ["1", "1"]', "priority.1", "stands 2 times"),
    "value twice": ("skin: The skin.", "gut: The skin.", "line 13", "the key 'gut' stands twice"),
    "reserved fact": ("name: why, kind", "name: notes, kind", "facts.notes", "every scheme has this fact already"),
    "enum without values": (f"    {SITE}\n", "", "facts.site", "a fact of kind enum needs values"),
    "boolean with values": (
        "kind: boolean, description", "kind: boolean, values: {a: A.}, description", "facts.tumour", "has no values",
    ),
    "merge that does not suit": ("A tumour., merge: any", "A tumour., merge: union", "facts.tumour.merge", "does not suit"),
    "incomplete order": ("order: [gut, skin, none_given]", "order: [gut, skin]", "facts.site.order", "every value once"),
    "order without strongest": (
        "merge: strongest", "merge: first", "facts.site.order", "only `merge: strongest` has an order",
    ),
    "unknown priority": ('priority: ["1"]', 'priority: ["7"]', "priority", "'7' is no category"),
    "rule with an unknown category": ("category: none", "category: nothing", "rules[1].category", "'nothing' is no category"),
    "rule with two categories": (
        "category: none", "category: none\n    category_from: site", "rules[1]", "exactly one of category and category_from",
    ),
    "rule without a category": ("    category: none\n", "", "rules[1]", "exactly one of category and category_from"),
    "category from no fact": ("category: none", "category_from: place", "rules[1].category_from", "a fact of kind enum"),
    "category from a boolean": ("category: none", "category_from: tumour", "rules[1].category_from", "a fact of kind enum"),
    "category from other values": (
        "category: none", "category_from: site", "rules[1].category_from", "the value 'gut' of site is no category",
    ),
    "reason with an unknown fact": ("no tumour: {why}", "no tumour: {who}", "rules[1].reason", "{who} is no fact"),
    "condition on an unknown fact": (
        "{fact: tumour, equals: false}", "{fact: cancer, equals: false}", "rules[1].when", "'cancer' is no fact",
    ),
    "condition on text": (
        "{fact: tumour, equals: false}", "{fact: why, equals: x}", "rules[1].when", "why is text, which decides nothing",
    ),
    "condition on an unknown value": (
        "any_of: [gut]", "any_of: [gut, gullet]", "rules[2].when", "'gullet' is no value of site",
    ),
    "text for a boolean": (
        "{fact: tumour, equals: false}", '{fact: tumour, equals: "false"}', "rules[1].when", "'false' is no value of tumour",
    ),
    "equals on a list": (
        "{fact: tags, contains: rare}", "{fact: tags, equals: rare}", "rules[2].when", "equals does not suit tags",
    ),
    "contains on an enum": (
        "{fact: site, any_of: [gut]}", "{fact: site, contains: gut}", "rules[2].when", "contains does not suit site",
    ),
    "condition of two shapes": (
        "{fact: site, any_of: [gut]}", "{fact: site, any_of: [gut], equals: gut}", "rules[2].when.all[1]",
        "exactly one of equals, any_of, contains",
    ),
    "empty condition": ("when: {fact: tumour, equals: false}", "when: {}", "rules[1].when", "exactly one of"),
    "empty junction": (
        "{any: [{fact: tumour, equals: true}, {fact: tags, contains: young}]}", "{any: []}", "consistency[1].require.any",
        "at least 1 item",
    ),
    "consistency on an unknown fact": (
        "when: {fact: site, equals: gut}", "when: {fact: place, equals: gut}", "consistency[1].when", "'place' is no fact",
    ),
    "consistency requires an unknown value": (
        "{fact: tags, contains: young}", "{fact: tags, contains: old}", "consistency[1].require", "'old' is no value of tags",
    ),
    "facts without a category": (
        '  - category: "1.5"\n    reason: another tumour\n',
        '  - when: {fact: site, equals: skin}\n    category: "1.5"\n    reason: r\n',
        "rules", "no rule gives a category to tumour=true, site=gut, tags=[rare]",
    ),
    "rule that never fires": (
        "consistency:", '  - when: {fact: site, equals: skin}\n    category: "1"\n    reason: late\nconsistency:',
        "rules[4]", "can never fire",
    ),
    "rule that contradicts itself": (
        "when: {fact: tumour, equals: false}",
        "when: {all: [{fact: tumour, equals: false}, {fact: tumour, equals: true}]}", "rules[1]", "can never fire",
    ),
    "category out of reach": (
        "priority:", "  - {id: spare, title: Spare, description: Nothing leads here.}\npriority:",
        "categories.spare", "no combination of facts leads to it",
    ),
    "consistency that cannot fail": (
        "{any: [{fact: tumour, equals: true}, {fact: tags, contains: young}]}", "{fact: site, equals: gut}",
        "consistency[1]", "can never fail",
    ),
    "consistency that cannot be met": (
        "{any: [{fact: tumour, equals: true}, {fact: tags, contains: young}]}", "{fact: site, equals: skin}",
        "consistency[1]", "can never be met",
    ),
    "category only by contradiction": (
        "{any: [{fact: tumour, equals: true}, {fact: tags, contains: young}]}",
        "{any: [{fact: tumour, equals: false}, {fact: tags, contains: rare}]}",
        "categories.1", "breaks a consistency rule",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "entry", "problem"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_with_file_entry_problem_and_remedy(old, new, entry, problem):
    error = _error(old, new)
    assert error.file == "small.yaml"
    assert error.entry == entry
    assert problem in error.problem
    assert error.remedy
    assert str(error) == f"small.yaml: {entry}: {error.problem}; {error.remedy}"


def test_a_fault_in_the_yaml_names_line_and_column():
    error = _error("title: Small", "title: [Small")
    assert re.fullmatch(r"line \d+, column \d+", error.entry)
    assert "is no YAML" in str(error)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_a_file_without_a_mapping_is_no_scheme(text):
    with pytest.raises(InvalidScheme, match=r"^x\.yaml: holds no mapping; start with `id:`"):
        parse_scheme(text, "x.yaml")


def test_python_objects_in_a_file_are_refused():
    with pytest.raises(InvalidScheme, match="is no YAML"):
        parse_scheme("id: !!python/object/apply:os.getcwd []", "x.yaml")


def test_several_faults_are_counted():
    error = _error("title: Small\nquestion: Is it a tumour?\n", "")
    assert error.problem == "is missing (and 1 more)"


def test_too_many_combinations_are_refused_at_once():
    values = ", ".join(f"v{number}: V." for number in range(40))
    rules = "\n".join(
        f'  - when: {{fact: tags, contains: v{number}}}\n    category: "1"\n    reason: r' for number in range(40)
    )
    text = SMALL.replace("values: {rare: Rare., young: Children.}", f"values: {{{values}}}")
    text = text[: text.index("rules:")] + f'rules:\n{rules}\n  - category: "1.5"\n    reason: r\n'
    with pytest.raises(InvalidScheme, match=r"rules: [\d,]+ combinations of facts \(tags\) are too many to check"):
        parse_scheme(text, "small.yaml")


def test_a_scheme_is_loaded_from_a_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL)
    assert load_scheme(str(path)) == parse_scheme(SMALL, "elsewhere")
    assert load_scheme(path).id == "small"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InvalidScheme, match=r"none\.yaml: cannot be read: No such file"):
        load_scheme(str(tmp_path / "none.yaml"))
    (tmp_path / "latin.yaml").write_bytes(b"title: \xe9t\xe9")
    with pytest.raises(InvalidScheme, match="it is not UTF-8 text"):
        load_scheme(str(tmp_path / "latin.yaml"))


def test_an_unknown_name_lists_the_shipped_ones():
    with pytest.raises(InvalidScheme, match=r"use kras_g12d_crc or therapeutic_area, or the path of a \.yaml file"):
        load_scheme("../therapeutic_area")
    assert shipped_schemes() == ("kras_g12d_crc", "therapeutic_area")
