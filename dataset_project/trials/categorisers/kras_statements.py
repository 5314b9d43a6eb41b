"""A trial's text as the KRAS rules read it: spelling made uniform, criteria as single statements with their side.

What a statement means for genes belongs to `kras_mutations`, for tumours to `kras_tumours`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dataset_project.trials.schemes.criteria import Side, sections
from dataset_project.trials.trial import Trial

_AMINO = {
    **{"gly": "G", "asp": "D", "cys": "C", "val": "V", "ala": "A", "arg": "R", "ser": "S", "gln": "Q", "his": "H"},
    **{"lys": "K", "leu": "L", "thr": "T", "pro": "P", "glu": "E"},
}
_THREE = "|".join(_AMINO)
_BULLET = re.compile(r"^(\s*)(?:[-*•·◦▪]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)])\s+(.*)$")
_SENTENCE = re.compile(r"(?<!e\.g\.)(?<!i\.e\.)(?<!\bvs\.)(?<!\bNo\.)(?<=[.;!?])\s+(?=[A-Z(\[≥≤<>])")
_COHORT = re.compile(
    r"\b(?i:cohort|arm|sub-?study|part|group|phase|expansion|escalation|safety run-in)s?\b(?=\s*(?:[A-Z0-9]|only|:|-))"
    r"|\b(?i:dose[- ](?:expansion|escalation))\b"
)

_OF_GENES = re.compile(r"\b[KNH]?-?RAS\b|\bmutat|\bmutant|\bwild|\ballele|\bvariant|\balteration", re.IGNORECASE)
_SHORT = 6  # words
_WHO = (
    r"(?:tumou?rs?|patients?|participants?|subjects?|persons?|people|those|cases|cancers?|any|other|another|different"
    r"|an?\s+other)"
)
_CLAUSE = re.compile(
    rf";\s*|,\s*(?:but\s+|while\s+|whereas\s+|and\s+)?(?={_WHO}\b)|\s+(?:but|whereas)\s+", re.IGNORECASE
)
# An inclusion criterion that turns somebody away reads like an exclusion.
_REFUSED = re.compile(
    r"\b(?:do(?:es)?|did)\s+not\s+qualify|\bdisqualif\w+|\b(?:is|are|being|will|would|shall|should)\s+(?:(?:therefore|also|be)\s+){0,2}"
    r"(?:excluded|ineligible|refused|turned\s+away|not\s+(?:be\s+)?(?:included|enrolled|accepted|allowed|permitted|admitted|suitable))\b"
    r"|\bnot\s+(?:be\s+)?eligible\b(?!\s+(?:for|to)\b(?!\s+(?:the|this)\s+(?:study|trial)))"
    r"|\b(?:can\s?not|may\s+not|must\s+not)\s+(?:be\s+(?:included|enrolled)|enter|enrol|take\s+part|participate|join)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Statement:
    """One criterion or sentence. ``side`` of a text outside the criteria is ``inclusion``; ``source`` names where it
    stands; ``of_cohort``: it speaks of a part of the participants only."""

    side: Side
    text: str
    source: str
    of_cohort: bool = False


def uniform(text: str) -> str:
    """One spelling for dashes, blanks, gene names (KRAS) and alleles (G12D)."""
    text = re.sub(r"[‐-―−]", "-", text.replace("\\", "").replace("\u00a0", " "))
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r"\bK(?:i|irsten)?[\s-]{0,2}RAS(?=\b|[A-Z]\d|mut|wt|_)", "KRAS", text, flags=re.IGNORECASE)
    text = re.sub(r"\bBRAF[\s_]*(?=V600)", "BRAF ", text, flags=re.IGNORECASE)
    text = re.sub(r"\b([NH])[\s-]RAS\b", r"\1RAS", text, flags=re.IGNORECASE)
    text = re.sub(r"\b([KNH]?RAS)[\s_]*(?=[GQA]\d{2,3}[A-Z*]|mut\b|wt\b)", r"\1 ", text, flags=re.IGNORECASE)
    text = re.sub(
        rf"\b(?:p\.)?({_THREE})(12|13|59|61|117|146)({_THREE})\b",
        lambda found: _AMINO[found[1].lower()] + found[2] + _AMINO[found[3].lower()],
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(r"\bp\.(?=[GQAK]\d{2,3}[A-Z])", "", text)
    text = re.sub(r"\b([GQAK](?:12|13|59|61|117|146))[xX*](?!\w)", r"\1X", text)
    # G12D/V, G12C, D or V
    return re.sub(
        r"\b([GQ](?:12|13|61))([A-Z])((?:\s*(?:/|,|\bor\b|\band\b)\s*[CDVARSHLK]\b)+)",
        lambda found: found[1] + found[2] + re.sub(r"\b([CDVARSHLK])\b", rf"{found[1]}\1", found[3]),
        text,
    )


def of_criteria(trial: Trial) -> list[Statement]:
    """The eligibility criteria, statement by statement; what hangs below a line ending in a colon is read with it."""
    found = []
    for section in sections(trial.eligibility_criteria):
        of_cohort = bool(_COHORT.search(section.heading))
        for text in _items(section.lines):
            for sentence in _SENTENCE.split(uniform(text)):
                cohort = of_cohort or bool(_COHORT.search(sentence))
                found.append(Statement(section.side, sentence.strip(), section.side or "criteria", cohort))
    return found


def clauses(statement: Statement) -> list[tuple[str, bool]]:
    """(text, whether it excludes) of a statement's parts: an inclusion criterion may turn somebody away as well."""
    if statement.side == "exclusion" or not _REFUSED.search(statement.text):
        return [(statement.text, statement.side == "exclusion")]
    return [(text, bool(_REFUSED.search(text))) for text in _CLAUSE.split(statement.text)]


def of_titles(trial: Trial) -> list[Statement]:
    """Titles, each as one statement."""
    titles = dict.fromkeys(filter(None, (trial.brief_title, trial.official_title)))
    return [Statement("inclusion", uniform(title), "title") for title in titles]


def of_conditions(trial: Trial) -> list[Statement]:
    """Conditions, and the registry's MeSH headings of them."""
    names = dict.fromkeys((*trial.conditions, *trial.mesh_terms))
    return [Statement("inclusion", _turned(uniform(name)), "conditions") for name in names if name.strip()]


def _turned(name: str) -> str:
    """ "Carcinoma, Hepatocellular" as "Hepatocellular Carcinoma", as people write it."""
    found = re.match(
        r"^((?:\w*carcinoma|neoplasms?|cancers?|lymphoma|leukemia|tumou?rs?)),\s*(.+)$", name, re.IGNORECASE
    )
    return f"{found[2]} {found[1]}" if found else name


def _items(lines: tuple[str, ...]) -> list[str]:
    """Criteria with their wrapped lines joined."""
    items: list[list] = []  # [indent, text]
    blank = True
    for line in lines:
        if not line.strip():
            blank = True
            continue
        bullet = _BULLET.match(line)
        indent = len(line) - len(line.lstrip())
        if bullet:
            items.append([len(bullet[1]), bullet[2].strip()])
        elif items and (not blank or indent > items[-1][0] + 1):
            items[-1][1] += " " + line.strip()
        else:
            items.append([indent, line.strip()])
        blank = False
    items = _with_short_lists(items)
    return [_with_parents(items, number) for number in range(len(items))]


def _with_short_lists(items: list[list]) -> list[list]:
    """A line about genes that ends in a colon together with the short entries below it: one list, one statement."""
    found: list[list] = []
    number = 0
    while number < len(items):
        indent, text = items[number]
        number += 1
        end = number
        if text.endswith(":") and _OF_GENES.search(text):
            while end < len(items) and items[end][0] > indent and len(items[end][1].split()) <= _SHORT:
                end += 1
        if end == len(items) or items[end][0] <= indent:
            text = " ".join(filter(None, (text, ", ".join(entry.rstrip(" ,;.") for _, entry in items[number:end]))))
            number = end
        found.append([indent, text])
    return found


def _with_parents(items: list[list], number: int) -> str:
    indent, text = items[number]
    for above in reversed(items[:number]):
        if indent == 0:
            break
        if above[0] < indent:
            indent = above[0]
            if above[1].endswith(":"):
                text = f"{above[1]} {text}"
    return text
