"""Sentence boundaries and capitals."""

from __future__ import annotations

import pytest

from dataset_project.augmentation.text.casing import in_case_of, without_capital, writes_small_i
from dataset_project.augmentation.text.phrase_table import PhraseTable
from dataset_project.augmentation.text.sentences import sentences
from dataset_project.augmentation.text.tokens import passage


def parts(text: str) -> list[str]:
    source = passage(text)
    return [text[source.tokens[each.first].start : source.tokens[each.last].end] for each in sentences(source)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I cry. I sleep! Why?", ["I cry.", "I sleep!", "Why?"]),
        ("i cry. i sleep", ["i cry.", "i sleep"]),
        ("Dr. Oz and J. Doe came at 3.5 p.m. to St. Ives.", ["Dr. Oz and J. Doe came at 3.5 p.m. to St. Ives."]),
        ("Well... ok. See https://a.example.org/x.y.", ["Well... ok.", "See https://a.example.org/x.y."]),
        ('She said "No. Stop." and left. I slept.', ['She said "No. Stop." and left.', "I slept."]),
        ('"Cheer up." I did not.', ['"Cheer up."', "I did not."]),
        ("Why?! 😢 I slept.\n\nok", ["Why?! 😢", "I slept.", "ok"]),
        ("@user hi. I slept", ["hi.", "I slept"]),
        ("I did (I think. Maybe.) sleep. So.", ["I did (I think. Maybe.) sleep.", "So."]),
    ],
)
def test_where_sentences_end(text, expected):
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("word", "inside"),
    [
        ("The", "the"), ("I'm", "I'm"), ("GP", "GP"), ("Mum", "Mum"), ("Friday", "Friday"),
        ("Twenty-one", "twenty-one"), ("Rose", None), ("Will", None), ("Zoe", None), ("Adobo", None), ("the", "the"),
    ],
)  # fmt: skip
def test_the_first_word_inside_a_sentence(word, inside):
    assert without_capital(word) == inside


def test_case_follows_what_is_replaced():
    assert in_case_of("worn out", passage("Tired now."), 0, 0) == "Worn out"
    assert in_case_of("worn out", passage("SO TIRED NOW"), 1, 1) == "WORN OUT"
    assert in_case_of("to be honest", passage("sad TBH"), 1, 1) == "to be honest"
    assert in_case_of("I am", passage("well i'm sad"), 1, 1) == "i am"
    assert in_case_of("I am", passage("Well I'm sad"), 1, 1) == "I am"
    assert writes_small_i(passage("no caps here")) and not writes_small_i(passage("Some caps here"))


def test_phrase_tables_take_the_longest_phrase_and_look_at_the_neighbours():
    table = PhraseTable(
        [
            {"same": ["tired", "weary"], "before": ["$"]},
            {"same": ["tired of", "sick of"], "not_after": ["not"]},
            {"from": ["ten"], "to": ["10"], "after": ["^"]},
            {"same": ["pounds", "lbs"], "after": ["#"]},
            {"same": ["awful", "bad"]},
        ]
    )

    def found(text: str) -> list[tuple[str, tuple[str, ...]]]:
        source = passage(text)
        return [
            (text[source.tokens[site.first].start : source.tokens[site.last].end], site.candidates)
            for site in table.sites(source)
        ]

    assert found("Tired of it, tired.") == [("Tired of", ("sick of",)), ("tired", ("weary",))]
    assert found("not tired of it, tired  of, dead-tired") == []
    assert found("Ten of ten, 5 pounds and two lbs and pounds") == [
        ("Ten", ("10",)), ("pounds", ("lbs",)), ("lbs", ("pounds",)),
    ]  # fmt: skip
    assert found("an awful day, awful") == [("awful", ("bad",))]
