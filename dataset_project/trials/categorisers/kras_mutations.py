"""What a trial requires of KRAS and of other genes, read from its statements.

Each clause that names a gene becomes at most one signal; `requirement` weighs the signals. Every rule stands for a
wording that occurs in registry text and has a test. What is said of KRAS in passing belongs to `kras_asides`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dataset_project.trials.categorisers.kras_asides import ALLELE, NAMED, RAS, without_asides
from dataset_project.trials.categorisers.kras_statements import Statement, clauses

_COVERS_G12D = {"G12D", "G12X"}
_WILD = re.compile(
    rf"(?:{RAS})(?:(?!mutat|mutant|positive)[\w\s,:=/()&+-]){{0,60}}?\b(?:wild[\s-]*type|WT\b|non-?mutated|unmutated)"
    rf"|\b(?:wild[\s-]*type|WT)\s*(?:status\s*)?(?:for|of|in|at)?[\s:]*(?:the\s+)?(?:all\s+)?\(?(?:{RAS})(?![\s/-]*mut)"
    rf"|\b(?:no|not|neither|without|absence\s+of|lack(?:s|ing)?(?:\s+of)?|negative\s+for|free\s+of|exclud\w+)\b"
    rf"(?:(?!other\s+than|except)[^.;:]){{0,45}}?(?:{RAS})[^.;:]{{0,50}}?\b(?:mutat\w*|mutant|alterations?)"
    rf"|\b(?:no|without)\s+(?:\w+\s+){{0,2}}?mutat\w+\s+(?:in|of)\s+[^.;]{{0,40}}?(?:{RAS})"
    rf"|(?:{RAS})[\s-]*(?:mutat\w+)?[\s-]*(?:negative|not\s+(?:mutated|detected|present)|absent)",
    re.IGNORECASE,
)
_MUTANT = re.compile(
    rf"(?:{RAS})[^.;]{{0,70}}?\b(?:mutat\w*|mutant|mut|alter(?:ed|ations?)|variants?|positive)\b"
    rf"|\b(?:mutat\w+|mutant|alter(?:ed|ations?)|variants?)\b[^.;]{{0,40}}?(?:{RAS})|{ALLELE.pattern}",
    re.IGNORECASE,
)
_STATUS = re.compile(
    rf"(?<!wild-type )(?<!wild type )(?:{RAS})(?:\s*(?:/|,|and|or)\s*[A-Z]\w+){{0,8}}[\s-]*(?:gene\s+)?(?:G12[A-Z]\s+)?"
    r"(?:mutat\w*[\s-]*)?(?:status|test\w*|analys[ei]s|genotyp\w*|assessment|results?|determination|sequencing)"
    r"(?![\s:=(]*(?:is|are|of|must\s+be|should\s+be|confirmed\s+(?:as|to\s+be))?[\s:=(]*(?:wild|WT\b|mut|positive|negat))",
    re.IGNORECASE,
)
_EITHER = re.compile(
    r"\bno\s+(?:restriction|limitation|requirement)\w*\b|\b(?:regardless|irrespective|independent(?:ly)?)\s+of\b|\bany\s+(?:[KN]?RAS|mutation\w*)\s+status"
    r"|\bwild[\s-]*type\s*(?:or|and|/|,)\s*mutat?"
    rf"|(?:{RAS})[\s-]*wild[\s-]*type\s*(?:or|and|/|,)\s*(?:{RAS})?[\s-]*mutat?"
    rf"|\bmuta\w+\s*(?:or|and|/|,)\s*(?:{RAS})?[\s-]*wild"
    r"|\bmay\s+(?:be\s+(?:included|enrolled|eligible)|enrol\w*|participate)|\b(?:are|is)\s+(?:allowed|permitted)\b"
    r"|\b(?:are|is)\s+(?:not\s+excluded|(?:no|not\s+an?)\s+(?:reason|exclusion|criterion))",
    re.IGNORECASE,
)
# "RAS mutated or not": both, whatever else the statement says.
_WHICHEVER = re.compile(
    rf"(?:{RAS})[^.;,]{{0,30}}?\bmutat\w*\s+or\s+(?:not|unmutated|non-?mutated|normal)\b"
    rf"|\bwith\s+or\s+without\s+(?:(?:an?|any|known)\s+)*(?:\w+\s+)?(?:{RAS})[^.;,]{{0,20}}?\b(?:mutat\w*|alterations?)"
    rf"|\b(?:whether(?:\s+or\s+not)?|whatever|no\s+matter)\b[^.;,]{{0,40}}?(?:{RAS})[^.;,]{{0,40}}"
    rf"|\bpresence\s+or\s+absence\s+of\s+[^.;,]{{0,20}}?(?:{RAS})[^.;,]{{0,20}}?\b(?:mutat\w*|alterations?)",
    re.IGNORECASE,
)
# Wild type in one place of a statement and mutant in another, nothing denied: both are open, it seems.
_WILD_NAMED = re.compile(
    rf"(?:{RAS})[^.;,]{{0,25}}?\b(?:wild[\s-]*type|WT\b)|\bwild[\s-]*type\s+(?:{RAS})", re.IGNORECASE
)
_MUTANT_NAMED = re.compile(rf"(?:{RAS})[\s-]*(?:gene\s+)?(?:mutat\w+|mutant)|\bmut\w+\s+(?:{RAS})", re.IGNORECASE)
_EACH_WAY = re.compile(
    r"\b(?:if|when|where|for)\s+(?:RAS\s+)?(?:is\s+)?wild[\s-]*type\b[^.]{0,60}\b(?:if|when|where|for)\s+(?:RAS\s+)?(?:is\s+)?mut(?:at|ant)"
    r"|\b(?:if|when|where|for)\s+(?:RAS\s+)?(?:is\s+)?mut(?:ated|ant)\b[^.]{0,60}\b(?:if|when|where|for)\s+(?:RAS\s+)?(?:is\s+)?wild",
    re.IGNORECASE,
)
_GIVEN = rf"\s+(?:an?\s+)?(?:{RAS})[\s-]+(?:gene\s+)?mutat\w+"
_WITH_AND_WITHOUT = re.compile(
    rf"\bwith{_GIVEN}[^.]{{1,80}}?\bwithout{_GIVEN}|\bwithout{_GIVEN}[^.]{{1,80}}?\bwith{_GIVEN}", re.IGNORECASE
)
_DENIAL = re.compile(r"\b(?:no|not|non|without|absence|lack\w*|free|exclu\w+|negative|except|ineligible)\b", re.I)
# A denial close to the gene that no rule has explained: the reading may be the wrong way round.
_DENIED_NEARBY = re.compile(
    rf"\b(?:no|not|neither|nor|without|cannot|exclu\w+|ineligible|except|unless)\b[^.;]{{0,40}}(?:{NAMED.pattern})"
    rf"|(?:{NAMED.pattern})[^.;]{{0,40}}\b(?:not|neither|nor|without|cannot|exclu\w+|ineligible|except|unless)\b",
    re.IGNORECASE,
)
# "RAS wild type: cetuximab", "stratum 1": the status decides the treatment, not who takes part.
_ASSIGNED = re.compile(
    r"\bstrat(?:um|a)\b|\b(?:wild[\s-]*type|WT|mutat\w+|mutant)\b[^.;:]{0,40}(?::|\breceives?\b|\bgets?\b)\s*(?:\w+\s+(?:and|plus|with)\s+)?"
    r"(?:cetuximab|panitumumab|bevacizumab|aflibercept|ramucirumab|anti-|FOLF|m?FOLF|CAPOX|XELOX|chemo)",
    re.IGNORECASE,
)
_WHOSE = (
    r"(?:(?:all|those|the|a|are|is|their|tumou?rs?|disease|cancer|patients?|participants?|subjects?|individuals|people|who"
    r"|with|have|has|had|known|documented|left-sided|and)\s+)"
)
_CONDITIONAL = re.compile(
    rf"(?:(?<!positive )(?<!negative )(?<!tested )(?<!selected )(?<!screened )(?<!type )"
    rf"\b(?:if|unless|for|when|where|in case of)\s+{_WHOSE}*|\bin\s+{_WHOSE}+)"
    rf"(?:(?:{RAS})[^.;]{{0,40}}(?:wild|WT\b|mut)|wild[\s-]*type\s+(?:{RAS}))"
    rf"|(?:{RAS})[^.;]{{0,80}}?\b(?:must|should|have to|need(?:s)? to|are required to|will|can)\s+(?:also\s+)?"
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
    """One requirement on genes: a value of `mutation_requirement`, or ``none`` where a gene is only mentioned.

    ``relative``: mutations other than the one required elsewhere are excluded; ``unsure``: another reading is possible;
    ``hedged``: a denial stands close by; ``of_cohort``: it holds for a part of the participants; ``assigned``: it
    decides what these are treated with.
    """

    value: str
    of_ras: bool
    statement: Statement
    relative: bool = False
    unsure: bool = False
    of_cohort: bool = False
    assigned: bool = False
    hedged: bool = False


@dataclass(frozen=True)
class Requirement:
    """The trial's requirement. ``mentioned``: RAS is part of the criteria; ``certain``: these say so by themselves."""

    value: str
    mentioned: bool
    conflict: bool
    certain: bool
    evidence: tuple[str, ...]


def signals(statements: Sequence[Statement]) -> list[Signal]:
    """What each statement says about genes; a statement that both takes in and turns away gives several."""
    found = []
    for statement in statements:
        found += [_signal(statement, text, excluding) for text, excluding in clauses(statement)]
    return [each for each in found if each is not None]


def _signal(statement: Statement, clause: str, excluding: bool) -> Signal | None:
    """What one clause of a statement says about genes; None where it says nothing that decides."""
    rest = without_asides(clause, excluding)
    text, assigned = rest.text, bool(_ASSIGNED.search(clause))
    of_cohort = statement.of_cohort or assigned
    if rest.relative and not NAMED.search(text):
        return Signal("none", True, statement, relative=True, of_cohort=of_cohort)
    if NAMED.search(text):
        both = not excluding and _opens_both(text)
        if both and statement.of_cohort and not assigned:
            value = _of_ras(_WILD_NAMED.sub(" ", text), excluding)
        else:
            value = "none" if both else _of_ras(text, excluding)
        if value is not None:
            hedged = value != "none" and _is_hedged(text, value, excluding)
            return Signal(value, True, statement, False, rest.unsure or both, of_cohort, assigned, hedged)
    elif rest.unsure:
        return Signal("none", True, statement, unsure=True, of_cohort=of_cohort)
    if excluding:
        return None
    other = _OTHER_GENE.search(text)
    alternative = rest.amplified and not _NO_REQUIREMENT.search(text)
    if not alternative and (
        other is None or _NO_REQUIREMENT.search(text) or _OF_ANOTHER_TUMOUR.match(text[other.end() :])
    ):
        return None
    return Signal("other_mutation_required", rest.amplified, statement, of_cohort=of_cohort)


def requirement(criteria: Sequence[Signal], elsewhere: Sequence[Signal]) -> Requirement:
    """The requirement that criteria and, where these are silent, titles and conditions amount to."""
    mentioned = any(each.of_ras for each in criteria)
    relative = [each for each in criteria if each.relative]
    deciding = [each for each in criteria if each.value != "none"]
    certain = not all(each.of_cohort for each in deciding) and not any(each.hedged for each in deciding)
    if not deciding and (relative or not mentioned):
        deciding = [each for each in elsewhere if each.value != "none"]
        mentioned = mentioned or any(each.of_ras for each in deciding)
    evidence = tuple(
        dict.fromkeys(f"{each.statement.source}: {_short(each.statement.text)}" for each in deciding or relative)
    )
    unsure = any(each.unsure for each in criteria)
    if not deciding:
        if relative:
            # "Any other KRAS mutation" beside nothing: whichever is meant, it may be this patient's.
            return Requirement("kras_wild_type_only", True, True, False, evidence)
        return Requirement("none", mentioned, unsure, not mentioned, ())
    value, conflict = _weighed(deciding)
    titled = {each.value for each in elsewhere if each.value not in ("none", "multi_kras")}
    if any(each in criteria for each in deciding) and titled and value not in titled:
        conflict = True
    return Requirement(value, mentioned, conflict or unsure, certain, evidence)


def _weighed(deciding: Sequence[Signal]) -> tuple[str, bool]:
    """(value, whether the signals disagree); what is said of all participants outranks what is said of a cohort."""
    values = {each.value for each in deciding}
    whole = {each.value for each in deciding if not each.of_cohort}
    if len(values) == 1:
        return next(iter(values)), False
    if "g12d_only" in values and values <= {"g12d_only", "multi_kras"}:
        # "KRAS mutation" beside "KRAS G12D" mostly refers back to it; a cohort of its own does not.
        of_cohorts = "multi_kras" not in whole
        return ("multi_kras" if of_cohorts else "g12d_only"), of_cohorts
    if values == {"kras_wild_type_only", "multi_kras"} and all(each.assigned for each in deciding):
        # One treatment for the wild type and one for any mutation leave nobody out.
        named = any(ALLELE.search(each.statement.text) for each in deciding)
        return ("multi_kras" if named else "none"), True
    for shut in ("kras_wild_type_only", "other_mutation_required"):
        if shut in whole and not whole & {"g12d_only", "multi_kras"}:
            return shut, True
    for open_ in ("g12d_only", "multi_kras"):
        if open_ in values and (open_ in whole or not whole):
            # A mutation wanted of everyone and wild type too: the exclusion is what a reader has to obey.
            return ("kras_wild_type_only" if "kras_wild_type_only" in whole else open_), True
    return ("kras_wild_type_only" if "kras_wild_type_only" in values else "other_mutation_required"), True


def _is_hedged(text: str, value: str, excluding: bool) -> bool:
    """Whether a denial stands so close that the statement may mean the opposite."""
    if excluding:
        return value == "kras_wild_type_only" and bool(
            re.search(r"\b(?:unless|except|not|only)\b", text, re.IGNORECASE)
        )
    return value in ("g12d_only", "multi_kras") and bool(_DENIED_NEARBY.search(_EXCEPT.sub(" ", text)))


def _opens_both(text: str) -> bool:
    """Whether one statement names wild-type and mutant RAS side by side and denies neither."""
    if _WITH_AND_WITHOUT.search(text):
        return True
    if _DENIAL.search(text):
        return False
    if _EACH_WAY.search(text):
        return True
    rest = _WILD_NAMED.sub(" ", text)
    return rest != text and bool(_MUTANT_NAMED.search(rest))


def _of_ras(text: str, excluding: bool) -> str | None:
    text = _WHICHEVER.sub(" [either] ", text)
    if _EITHER.search(text) or not NAMED.search(text):
        return "none"
    text = _STATUS.sub(" [tested] ", text)
    if not NAMED.search(text):
        return None
    if _CONDITIONAL.search(text):
        return "none"
    if _EXCEPT_G12D.search(text):
        return "g12d_only" if excluding else "other_mutation_required"
    rest = _EXCEPT.sub(" ", text)
    if _WILD.search(rest):
        # "KRAS wild type" among the exclusions asks for a mutation.
        return "multi_kras" if excluding else "kras_wild_type_only"
    alleles = set(ALLELE.findall(rest.upper()))
    if not alleles and not _MUTANT.search(rest):
        return None
    if excluding:
        covers = bool(alleles & _COVERS_G12D) or (not alleles and _speaks_of(rest, "K"))
        return "kras_wild_type_only" if covers else "none"
    if not alleles:
        return "multi_kras" if _speaks_of(rest, "K") else "other_mutation_required"
    if alleles == {"G12D"}:
        generic = re.search(rf"\bany\b[^.;]{{0,20}}(?:{RAS})|\be\.g\.|such as|including", rest, re.IGNORECASE)
        return "multi_kras" if generic else "g12d_only"
    return "multi_kras" if alleles & _COVERS_G12D else "other_mutation_required"


def _speaks_of(text: str, letter: str) -> bool:
    """Whether KRAS, or RAS at large, is named, not NRAS or HRAS alone."""
    return bool(re.search(rf"(?:\b|pan-?){letter}?RAS\b", text, re.IGNORECASE))


def _short(text: str, most: int = 160) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"
