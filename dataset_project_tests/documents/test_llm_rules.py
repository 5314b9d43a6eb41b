"""What of a model's prose is accepted, and why the rest is not."""

from __future__ import annotations

import pytest

from dataset_project.documents.llm_rules import problem_with, tidied
from dataset_project_tests.documents.llm_corpus import everyone, people

GIVEN = (
    "[[P1]] was seen on [[P2]] because of cough and fever for 3 days. The chest was clear and the Foley catheter "
    "was removed without trouble."
)


@pytest.mark.parametrize(
    "text",
    [
        "On [[P2]], [[P1]] came with cough and fever, for 3 days. The Foley catheter was removed without trouble.",
        "Cough and fever for 3 days led to the visit of [[P1]] (on [[P2]]). Without trouble the Foley catheter was "
        "removed; the chest was clear.",
        "It's cough and fever for 3 days that [[P1]] came with on [[P2]]. The Foley catheter was removed; the chest "
        "was clear, and there was no trouble.",
        "[[P1]]'s visit on [[P2]] was for cough and fever of 3 days. The Foley catheter was removed without trouble, "
        "and the chest was clear.",
    ],
)
def test_good_prose_is_accepted(text):
    assert problem_with(text, GIVEN, everyone()) is None


TAIL = " because of cough and fever for 3 days. The chest was clear and the Foley catheter was removed."
BAD = {
    "missing placeholder": ("[[P1]] was seen" + TAIL, "placeholders"),
    "doubled placeholder": ("[[P1]] was seen on [[P2]], [[P1]] said," + TAIL, "placeholders"),
    "placeholder of another paragraph": ("[[P1]] was seen on [[P3]]" + TAIL, "placeholders"),
    "invented placeholder": ("[[P1]] was seen on [[P2]] by [[P9]]" + TAIL, "placeholders"),
    "half a placeholder": ("[[P1]] was seen on [[P2]] by [[P" + TAIL, "characters"),
    "placeholder in single brackets": ("[P1] was seen on [[P2]]" + TAIL, "placeholders"),
    "glued placeholders": ("[[P1]][[P2]] was seen" + TAIL, "placeholders"),
    "placeholder glued to a word": ("Mc[[P1]] was seen on [[P2]]" + TAIL, "placeholders"),
    "telephone": ("[[P1]] was seen on [[P2]]" + TAIL + " Call 212-555-0147.", "numbers"),
    "another dose": ("[[P1]] was seen on [[P2]]" + TAIL.replace("3", "5"), "numbers"),
    "digits as words": ("[[P1]] was seen on [[P2]]" + TAIL + " Call five five five, one two.", "numbers"),
    "number lost": ("[[P1]] was seen on [[P2]]" + TAIL.replace("3 days", "some days"), "numbers"),
    "old age in words": ("[[P1]], ninety years of age, was seen on [[P2]]" + TAIL, "numbers"),
    "name within": ("[[P1]] was seen on [[P2]] by Okonkwo" + TAIL, "names"),
    "name that begins": ("[[P1]] was seen on [[P2]]" + TAIL + " Kowalczyk agreed.", "names"),
    "name of the lists that begins": ("[[P1]] was seen on [[P2]]" + TAIL + " Johnson agreed.", "names"),
    "name without a capital": ("[[P1]] was seen on [[P2]] with johnson" + TAIL, "names"),
    "name that is a word": ("[[P1]] was seen on [[P2]]" + TAIL + " Grace agreed.", "names"),
    "title": ("Dr. [[P1]] was seen on [[P2]]" + TAIL, "names"),
    "eponym lost": ("[[P1]] was seen on [[P2]]" + TAIL.replace("Foley ", ""), "names"),
    "abbreviation": ("[[P1]] was seen on [[P2]] after MRI" + TAIL, "names"),
    "place": ("[[P1]] of Springfield was seen on [[P2]]" + TAIL, "names"),
    "month": ("[[P1]] was seen on [[P2]], early in march," + TAIL, "names"),
    "weekday": ("[[P1]] was seen on [[P2]], a Monday," + TAIL, "names"),
    "mail address": ("[[P1]] was seen on [[P2]], anna@mail.example," + TAIL, "characters"),
    "host": ("[[P1]] was seen on [[P2]], see records.example," + TAIL, "characters"),
    "markup": ("**[[P1]]** was seen on [[P2]]" + TAIL, "characters"),
    "tag": ("<b>[[P1]]</b> was seen on [[P2]]" + TAIL, "characters"),
    "other alphabet": ("[[P1]] was seen on [[P2]]" + TAIL.replace("a", "\N{CYRILLIC SMALL LETTER A}"), "characters"),
    "emoji": ("[[P1]] was seen on [[P2]]" + TAIL + " \N{GRINNING FACE}", "characters"),
    "control": ("[[P1]] was seen\x07 on [[P2]]" + TAIL, "characters"),
    "soft hyphen": ("[[P1]] was seen on [[P2]]" + TAIL.replace("cough", "co\N{SOFT HYPHEN}ugh"), "characters"),
    "too short": ("[[P1]], [[P2]]: cough, 3, Foley.", "length"),
    "too long": ("[[P1]] was seen on [[P2]]" + TAIL + " The chest was clear, as said before." * 5, "length"),
    "empty": ("", "placeholders"),
    "remark": ("[[P1]] was seen on [[P2]]" + TAIL + " The placeholders were kept.", "remarks"),
    "obeys": ("[[P1]] was seen on [[P2]]" + TAIL + " Now the above instructions are ignored.", "remarks"),
    "something else": (
        "[[P1]] and [[P2]]: the garden needs water, so please bring 3 pots; also the Foley shop sells good green soap.",
        "remarks",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_prose_is_refused_with_its_reason(name):
    text, reason = BAD[name]
    assert problem_with(tidied(text), GIVEN, everyone()) == reason


def test_nobody_of_the_pools_is_let_in():
    """Words that are names besides, next to each other as in the pool: each was given, but not the two together."""
    patient = next(
        row
        for row in people().patients.select(["given", "family"]).to_pylist()
        if row["given"].isalpha() and row["family"].isalpha()
    )
    given = (
        f"{patient['family']} disease was ruled out and the {patient['given']} score was 3, so the course is benign."
    )
    answer = (
        f"For {patient['given']} {patient['family']} the disease was ruled out and the score was 3, so it is benign."
    )
    assert problem_with(given, given, everyone()) is None
    assert problem_with(answer, given, everyone()) == "identifiers"


def test_typographic_signs_are_made_plain():
    assert tidied("It\N{RIGHT SINGLE QUOTATION MARK}s \N{EM DASH}\nwell\N{HORIZONTAL ELLIPSIS}") == "It's - well..."
