"""What a trial requires of KRAS and of other genes, read from its statements.

Each statement that names a gene becomes at most one signal; `requirement` weighs the signals. Every rule stands for a
wording that occurs in registry text and has a test.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dataset_project.trials.categorisers.kras_statements import Statement

_RAS = r"(?:pan-?)?\b[KNH]?RAS\b"
_ALLELE = re.compile(r"\b(?:G12|G13|Q61|A146|K117|A59)[A-Z]\b")
_COVERS_G12D = {"G12D", "G12X"}
_NAMED = re.compile(rf"{_RAS}|{_ALLELE.pattern}", re.IGNORECASE)
_QUALIFIERS = r"(?:[\s/(\[-]*(?:G12[A-Z]|G13D|Q61[A-Z]|ON|OFF|mutant|mutations?|mutated|wild[\s-]type)[)\]]?){0,8}"
_DRUG = re.compile(
    rf"(?:anti-)?(?:{_RAS}|\bG12[A-Z]\b){_QUALIFIERS}[\s(-]*(?:\w+ly\s+)?"
    r"(?:(?:selective|specific|targeted|targeting|directed|covalent|reactive|pathway)[\s-]*)*"
    r"(?:inhibitors?|inhibition|degraders?|blockers?|blockade|vaccines?|TCR\w*|T[\s-]cells?|antagonists?"
    r"|(?:therap(?:y|ies)|agents?|treatments?|drugs?|targeting|targeted|directed)\b)"
    rf"|\b(?:inhibit\w*|target(?:s|ing|ed)?|directed\s+(?:against|at|to)|against|blocking)\s+(?:of\s+)?"
    rf"(?:mutant\s+|mutated\s+|the\s+)?(?:{_RAS}){_QUALIFIERS}",
    re.IGNORECASE,
)
_WILD = re.compile(
    rf"(?:{_RAS})(?:(?!mutat|mutant|positive)[\w\s,:=/()&+-]){{0,60}}?\b(?:wild[\s-]*type|WT\b|non-?mutated|unmutated)"
    rf"|\b(?:wild[\s-]*type|WT)\s*(?:status\s*)?(?:for|of|in|at)?[\s:]*(?:the\s+)?(?:all\s+)?\(?(?:{_RAS})(?![\s/-]*mut)"
    rf"|\b(?:no|not|without|absence\s+of|lack(?:s|ing)?(?:\s+of)?|negative\s+for|free\s+of|exclud\w+)\b"
    rf"(?:(?!other\s+than|except)[^.;:]){{0,45}}?(?:{_RAS})[^.;:]{{0,50}}?\b(?:mutat\w*|mutant|alterations?)"
    rf"|\b(?:no|without)\s+(?:\w+\s+){{0,2}}?mutat\w+\s+(?:in|of)\s+[^.;]{{0,40}}?(?:{_RAS})"
    rf"|(?:{_RAS})[\s-]*(?:mutat\w+)?[\s-]*(?:negative|not\s+(?:mutated|detected|present)|absent)",
    re.IGNORECASE,
)
_MUTANT = re.compile(
    rf"(?:{_RAS})[^.;]{{0,70}}?\b(?:mutat\w*|mutant|mut|alter(?:ed|ations?)|variants?|positive)\b"
    rf"|\b(?:mutat\w+|mutant|alter(?:ed|ations?)|variants?)\b[^.;]{{0,40}}?(?:{_RAS})|{_ALLELE.pattern}",
    re.IGNORECASE,
)
_STATUS = re.compile(
    rf"(?<!wild-type )(?<!wild type )(?:{_RAS})(?:\s*(?:/|,|and|or)\s*[A-Z]\w+)*[\s-]*(?:gene\s+)?(?:G12[A-Z]\s+)?"
    r"(?:mutat\w*[\s-]*)?(?:status|test\w*|analys[ei]s|genotyp\w*|assessment|results?|determination|sequencing)"
    r"(?![\s:=(]*(?:is|are|of|must\s+be|should\s+be|confirmed\s+(?:as|to\s+be))?[\s:=(]*(?:wild|WT\b|mut|positive|negat))",
    re.IGNORECASE,
)
_EITHER = re.compile(
    r"\bno\s+(?:restriction|limitation|requirement)\w*\b|\b(?:regardless|irrespective|independent(?:ly)?)\s+of\b|\bany\s+(?:[KN]?RAS|mutation\w*)\s+status"
    r"|\bwild[\s-]*type\s*(?:or|and|/|,)\s*mutat?"
    rf"|(?:{_RAS})[\s-]*wild[\s-]*type\s*(?:or|and|/|,)\s*(?:{_RAS})?[\s-]*mutat?"
    rf"|\bmuta\w+\s*(?:or|and|/|,)\s*(?:{_RAS})?[\s-]*wild"
    r"|\bmay\s+(?:be\s+(?:included|enrolled|eligible)|enrol\w*|participate)|\b(?:are|is)\s+(?:allowed|permitted)\b",
    re.IGNORECASE,
)
_WHOSE = (
    r"(?:(?:all|those|the|a|are|is|their|tumou?rs?|disease|cancer|patients?|participants?|subjects?|individuals|people|who"
    r"|with|have|has|had|known|documented|left-sided|and)\s+)"
)
_CONDITIONAL = re.compile(
    rf"(?:(?<!positive )(?<!negative )(?<!tested )(?<!selected )(?<!screened )(?<!type )"
    rf"\b(?:if|unless|for|when|where|in case of)\s+{_WHOSE}*|\bin\s+{_WHOSE}+)"
    rf"(?:(?:{_RAS})[^.;]{{0,40}}(?:wild|WT\b|mut)|wild[\s-]*type\s+(?:{_RAS}))"
    rf"|(?:{_RAS})[^.;]{{0,80}}?\b(?:must|should|have to|need(?:s)? to|are required to|will|can)\s+(?:also\s+)?"
    r"(?:have\s+)?(?:previously\s+|also\s+|been\s+|be\s+)*"
    r"(?:received?|progressed|failed|treated|had|have\s+had|refractory|intolerant|exposed|experienced)",
    re.IGNORECASE,
)
_EXCEPT_G12D = re.compile(
    r"\b(?:other\s+than|except(?:\s+for)?|non-?|not|excluding|apart\s+from)[\s(-]*(?:KRAS\s+)?(?:the\s+)?G12D\b", re.I
)
_EXCEPT = re.compile(
    r"\b(?:other\s+than|except(?:\s+for)?|non-?|not|excluding|apart\s+from|without|no)[\s(-]*(?:a\s+|the\s+)?(?:KRAS\s+)?"
    r"(?:[GQA]\d{2,3}[A-Z](?:\s*(?:,|/|or|and)\s*)?)+",
    re.IGNORECASE,
)
_OTHER_GENE = re.compile(
    r"\b(?:BRAF|HER2|HER-2(?:/neu)?|ERBB2|NTRK\d?|EGFR|ALK|ROS1|RET|MET|FGFR\d?|PIK3CA|BRCA\d?(?:/2)?|IDH\d?|MTAP|NRAS"
    r"|HRAS|POLE|TP53|p53|NRG1)\b[^.;,]{0,30}?(?:\bmutat\w*|\bmutant|amplif\w*|fusions?|rearrange\w*|V600E?|overexpress\w*"
    r"|\bpositive\b|\+|delet\w*)|\bMSI[\s-]?(?:H\b|high)|\bdMMR\b|microsatellite[\s-]instability[\s(-]*high"
    r"|high[\s-](?:frequency[\s-])?microsatellite[\s-]instab\w+|mismatch[\s-]repair[\s-]defici\w+"
    r"|deficient[\s-](?:DNA[\s-])?mismatch",
    re.IGNORECASE,
)
_NO_REQUIREMENT = re.compile(
    r"\b(?:no|not|non|without|negative|wild|unless|if|except|regardless|irrespective|excluding|other than|received"
    r"|prior|previous(?:ly)?|progress\w*|refractory|status|unknown|test(?:ed|ing)?|MSS|microsatellite[\s-]stable|may|stratif\w+"
    r"|therapy|treatment|inhibitors?|antibod\w+|allowed|permitted|e\.g\.|such as)\b",
    re.IGNORECASE,
)
_OF_ANOTHER_TUMOUR = re.compile(
    r"^[\s(),-]*(?:\w+\s+)?(?:breast|NSCLC|non-small|lung|melanoma|gastric|ovar\w+|prostate|thyroid|glioma|urothelial"
    r"|bladder|cholangio\w*)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Signal:
    """One requirement on genes: a value of `mutation_requirement`, or ``none`` where a gene is only mentioned."""

    value: str
    of_ras: bool
    statement: Statement


@dataclass(frozen=True)
class Requirement:
    """The trial's requirement. ``mentioned``: RAS is part of the criteria; ``certain``: these say so by themselves."""

    value: str
    mentioned: bool
    conflict: bool
    certain: bool
    evidence: tuple[str, ...]


def signals(statements: Sequence[Statement]) -> list[Signal]:
    """What each statement says about genes."""
    found = (signal(statement) for statement in statements)
    return [each for each in found if each is not None]


def signal(statement: Statement) -> Signal | None:
    """What one statement says about genes; None where it says nothing that decides."""
    text = _DRUG.sub("[drug]", statement.text)
    excluding = statement.side == "exclusion"
    if _NAMED.search(text):
        value = _of_ras(text, excluding)
        if value is not None:
            return Signal(value, True, statement)
    if excluding:
        return None
    other = _OTHER_GENE.search(text)
    if other is None or _NO_REQUIREMENT.search(text) or _OF_ANOTHER_TUMOUR.match(text[other.end() :]):
        return None
    return Signal("other_mutation_required", False, statement)


def requirement(criteria: Sequence[Signal], elsewhere: Sequence[Signal]) -> Requirement:
    """The requirement that criteria and, where these are silent, titles and conditions amount to."""
    mentioned = any(each.of_ras for each in criteria)
    deciding = [each for each in criteria if each.value != "none"]
    certain = bool(deciding)
    if not deciding and not mentioned:
        deciding = [each for each in elsewhere if each.value != "none"]
        mentioned = any(each.of_ras for each in deciding)
    values = {each.value for each in deciding}
    whole = {each.value for each in deciding if not each.statement.of_cohort}
    evidence = tuple(dict.fromkeys(f"{each.statement.source}: {_short(each.statement.text)}" for each in deciding))
    if not values:
        return Requirement("none", mentioned, False, not mentioned, ())
    value, conflict = _weighed(values, whole)
    titled = {each.value for each in elsewhere if each.value not in ("none", "multi_kras")}
    if certain and titled and value not in titled:
        conflict = True
    return Requirement(value, mentioned, conflict, certain, evidence)


def _weighed(values: set[str], whole: set[str]) -> tuple[str, bool]:
    """(value, whether the signals disagree). ``whole``: what is said of all participants, not of a cohort."""
    if len(values) == 1:
        return next(iter(values)), False
    if "g12d_only" in values and values <= {"g12d_only", "multi_kras"}:
        # "KRAS mutation" beside "KRAS G12D" mostly refers back to it; a cohort of its own does not.
        of_cohorts = "multi_kras" not in whole
        return ("multi_kras" if of_cohorts else "g12d_only"), of_cohorts
    for shut in ("kras_wild_type_only", "other_mutation_required"):
        if shut in whole and not whole & {"g12d_only", "multi_kras"}:
            return shut, True
    for open_ in ("g12d_only", "multi_kras"):
        if open_ in values and (open_ in whole or not whole):
            # A mutation wanted of everyone and wild type too: the exclusion is what a reader has to obey.
            return ("kras_wild_type_only" if "kras_wild_type_only" in whole else open_), True
    return ("kras_wild_type_only" if "kras_wild_type_only" in values else "other_mutation_required"), True


def _of_ras(text: str, excluding: bool) -> str | None:
    if _EITHER.search(text):
        return "none"
    text = _STATUS.sub(" [tested] ", text)
    if not _NAMED.search(text):
        return None
    if _CONDITIONAL.search(text):
        return "none"
    if _EXCEPT_G12D.search(text):
        return "g12d_only" if excluding else "other_mutation_required"
    rest = _EXCEPT.sub(" ", text)
    if _WILD.search(rest):
        # "KRAS wild type" among the exclusions asks for a mutation.
        return "multi_kras" if excluding else "kras_wild_type_only"
    alleles = set(_ALLELE.findall(rest.upper()))
    if not alleles and not _MUTANT.search(rest):
        return None
    if excluding:
        covers = bool(alleles & _COVERS_G12D) or (not alleles and _speaks_of(rest, "K"))
        return "kras_wild_type_only" if covers else "none"
    if not alleles:
        return "multi_kras" if _speaks_of(rest, "K") else "other_mutation_required"
    if alleles == {"G12D"}:
        generic = re.search(rf"\bany\b[^.;]{{0,20}}(?:{_RAS})|\be\.g\.|such as|including", rest, re.IGNORECASE)
        return "multi_kras" if generic else "g12d_only"
    return "multi_kras" if alleles & _COVERS_G12D else "other_mutation_required"


def _speaks_of(text: str, letter: str) -> bool:
    """Whether KRAS, or RAS at large, is named, not NRAS or HRAS alone."""
    return bool(re.search(rf"(?:\b|pan-?){letter}?RAS\b", text, re.IGNORECASE))


def _short(text: str, most: int = 160) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"
