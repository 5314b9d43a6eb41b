"""Which tumours a trial accepts, seen from colorectal adenocarcinoma, read from its statements.

Genes belong to `kras_mutations`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dataset_project.trials.categorisers.kras_statements import Statement

_CANCER = (
    r"(?:cancers?|carcinomas?|adenocarcinomas?|adeno-?ca|neoplasms?|neoplasia|tumou?rs?|malignan(?:t|cy|cies)"
    r"|metasta\w+)"
)
# An organ named in a list counts when a word for cancer follows in the same clause.
_LIST = rf"(?=[\w\s,/()&+'-]{{0,110}}?\b{_CANCER})"
_COLORECTAL = re.compile(
    rf"\bm?CRC\b|\bcolo-?\s?rectal\b{_LIST}|\b(?:colon(?:ic)?|rectal|rectosigmoid|large\s+bowel|bowel|sigmoid)\b{_LIST}"
    rf"|\b{_CANCER}\s+of\s+(?:the\s+)?(?:\w+,?\s+(?:(?:or|and)\s+)?){{0,4}}?(?:colon|rectum|large\s+(?:bowel|intestine))",
    re.IGNORECASE,
)
_GI_UMBRELLA = re.compile(
    rf"(?<!upper )(?<!upper-)\b(?:gastro-?\s?intestinal|GI|digestive(?:\s+(?:system|tract))?)\s+(?:tract\s+)?{_CANCER}",
    re.IGNORECASE,
)
_GI_ORGAN = re.compile(
    rf"\b(?:gastric|stomach|gastro-?\s?o?esophageal|o?esophag(?:eal|us|o-?gastric)|pancrea(?:tic|s)"
    rf"|biliary|bile\s+duct|gallbladder|hepatobiliary|small\s+(?:bowel|intestin\w+)|duodenal|ampullary|appendi(?:ceal|x)"
    rf"|upper\s+(?:GI|gastro-?intestinal))\b{_LIST}"
    r"|\b(?:hepatocellular|cholangiocarcinoma|PDAC|hepatoma)|\bliver\s+(?:cancer|neoplasm|carcinoma)",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    rf"\b(?:breast|prostat(?:e|ic)|ovarian|fallopian|cervical|cervix|endometrial|uterine|thyroid|renal(?:\s+cell)?|kidney"
    rf"|bladder|urothelial|head\s+and\s+neck|head\s*&\s*neck|testicular|germ\s+cell|nasopharyn\w+|vulvar|penile"
    rf"|adrenocortical|thymic|skin)\b(?!\s*(?:metasta|feeding|function|insuff|dysfunc|fail)){_LIST}"
    r"|\b(?:non-?\s?small\s+cell|NSCLC|SCLC|SCCHN|HNSCC|small\s+cell\s+lung|mesothelioma|melanoma|glioblastoma|gliomas?|astrocytoma"
    r"|medulloblastoma|neuroblastoma|(?:\w+)?sarcomas?|retinoblastoma)\b"
    r"|\blung\s+(?:cancer|carcinoma|neoplasm|adenocarcinoma|tumou?r)|\b(?:brain|CNS)\s+(?:tumou?r|cancer|neoplasm)",
    re.IGNORECASE,
)
_BLOOD = re.compile(
    r"\bleuk(?:a)?emia|\blymphomas?\b|\bmyeloma|\bmyelodysplas\w+"
    r"|(?<!non-)(?<!non )\bha?ematolog\w+\s+(?:malig|neopl|cancer)"
    r"|\b(?:AML|CLL|MDS|Hodgkin)\b",
    re.IGNORECASE,
)
_ANY = (
    r"(?:(?:advanced|locally|metastatic|any|all|refractory|recurrent|relapsed|progressive|unspecified|various|incurable"
    r"|unresectable|inoperable|active|invasive|malignant|primary|adult|type|types|kinds?|other|or|and|and/or|of|a|an"
    r"|the|with|histologic(?:al)?ly|cytologic(?:al)?ly|confirmed|documented|proven|diagnosed|diagnosis|known)[\s,-]+)"
)
_BROAD = re.compile(
    rf"\bnon-?\s?ha?ematolog\w+\s+(?:malignan\w+|cancers?)|\bmalignant\s+disease\b|\bsolid\s+(?:\w+\s+){{0,2}}?(?:tumou?rs?|malignan\w+|cancers?|neoplasms?)"
    rf"|\b(?:advanced|metastatic|any|all|refractory|unspecified|various|confirmed|diagnosis\s+of|diagnosed\s+with|with"
    rf"|documented|proven|incurable|unresectable|malignant)[\s,-]+{_ANY}{{0,6}}"
    r"(?:cancers?|malignan(?:cy|cies)|tumou?rs?|neoplasms?)\b"
    r"(?!\s+(?:of\s+the|in|pain|marker|tissue|sample|block|specimen|lesion|site|biops\w+|burden|progression|treatment"
    r"|therapy|type)|-)",
    re.IGNORECASE,
)
_BARE = re.compile(r"^\s*(?:cancers?|tumou?rs?|neoplasms?|malignan\w+|neoplasm metastasis|metastatic cancer)\s*$", re.I)
_NOT_ADENO = re.compile(
    r"\b(?:neuro-?endocrine|carcinoid|gastro-?intestinal\s+stromal|stromal|squamous(?:[\s-]cell)?|desmoid"
    rf"|(?<!non )(?<!non-)small[\s-]cell(?!\s+lung))\b(?:(?:(?!\bor\b|\band\b)[\w\s()/-]){{0,40}}?\b{_CANCER})?"
    r"(?:\s+of\s+(?:the\s+)?(?:colon|rectum|anus|anal\s+canal|gastro-?intestinal\s+tract)(?:[\s,]+(?:and|or)\s+\w+)?)?"
    rf"|\b(?:colorectal|colon(?:ic)?|colon\s+or\s+rectal|rectal|gastro-?intestinal|GI)\s+(?:(?!{_CANCER})\w+\s+){{0,2}}?"
    rf"(?:neuro-?endocrine|carcinoid|stromal|lymphoma|sarcoma|melanoma|squamous)\w*(?:\s+(?:\w+\s+)?{_CANCER})?"
    rf"|\bGISTs?\b|\bGEP-?NETs?\b|\banal\s+(?:canal\s+)?{_CANCER}"
    r"|\b(?:colon|rectum|colorectal|gastro-?intestinal)(?:\s+tract)?\s+neuro-?endocrine\b",
    re.IGNORECASE,
)
_BEFORE_CANCER = re.compile(
    r"\bpolyps?\b|\badenomas?\b|\bscreening\b|\bprevention\b|\bchemoprevent\w+|\bLynch\b|\bfamilial\b|\bpolyposis\b"
    r"|\baverage[- ]risk\b|\bcolonoscop\w+",
    re.IGNORECASE,
)
_RELATIVES = re.compile(r"\b(?:relatives|family\s+members|caregivers?|spouses|siblings)\s+of\b", re.IGNORECASE)
_NO_HISTORY = re.compile(
    r"(?:\b(?:history|diagnosis)\s+of|\bprior|\bprevious|\bknown|\bpersonal|\b(?:ever|already|have|has)\s+had)\b[^.;]{0,40}"
    r"\b(?:colorectal|colon|bowel|rectum|CRC)\b"
    r"|\b(?:had|operated|treated)\b[^.;]{0,40}\b(?:colorectal|colon|bowel|rectum|CRC)\b[^.;]{0,30}\b(?:past|before|earlier|already|ever)\b",
    re.IGNORECASE,
)
# A register's heading or a bare organ says where a tumour sits, not that it is an adenocarcinoma.
_ORGAN_HEADING = re.compile(r"^\s*(?:[\w-]+\s+){1,3}neoplasms?\s*$", re.IGNORECASE)
_ADENO_NAMED = re.compile(
    r"\bm?CRC\b|\b(?:colorectal|colon(?:ic)?|rectal|bowel)(?:\s+(?:or|and)\s+\w+)?\s+(?:cancers?|(?:adeno)?carcinomas?)\b"
    r"|\b(?:adeno)?carcinomas?\s+of\s+(?:the\s+)?(?:\w+,?\s+(?:(?:or|and)\s+)?){0,3}?(?:colon|rectum|large\s+bowel)",
    re.IGNORECASE,
)
_SEATS = {
    "liver": re.compile(r"\b(?:liver|hepatic)\b", re.IGNORECASE),
    "lung": re.compile(r"\b(?:lungs?|pulmonary)\b", re.IGNORECASE),
    "peritoneal": re.compile(r"\bperiton\w+", re.IGNORECASE),
    "brain": re.compile(r"\b(?:brain|cerebral)\b", re.IGNORECASE),
}
_SEAT_HEADING = re.compile(
    r"^\s*(?:(?:secondary|metastatic)\s+)?(liver|lung|peritoneal|brain)\s+(?:neoplasms?|cancers?|tumou?rs?)\s*$",
    re.IGNORECASE,
)
_METASTASES = re.compile(r"\bmetasta\w+", re.IGNORECASE)
_SCREENING = re.compile(
    r"\b(?:colo-?\s?rectal|colon|bowel|CRC|rectal)(?:\s+(?:cancer|neoplasia|adenoma))?[\s-]+screening\b"
    r"|\bscreening\s+(?:for|of|against)\s+(?:(?!in\b|among\b)[\w-]+\s+){0,2}?(?:colo-?\s?rectal|colon|bowel|CRC)\b"
    r"|\b(?:FIT|FOBT|fa?ecal\s+immunochemical|fa?ecal\s+occult|stool\s+(?:DNA|tests?)|colonoscop\w+)\b[^.;]{0,40}\bscreening"
    r"|\bscreening\b[^.;]{0,40}\b(?:FIT|FOBT|fa?ecal|stool|colonoscop\w+|sigmoidoscop\w+)\b",
    re.IGNORECASE,
)
_ILL = re.compile(
    r"\b(?:diagnos\w+|confirmed|proven|newly|metastatic|advanced|resected|unresectable|stage\s+[0I1-4]+|patients?\s+with"
    r"|treated\s+for|undergoing\s+\w+\s+for|survivors?)\b",
    re.IGNORECASE,
)
# Statements about other tumours than the one under study.
_NOT_THE_DISEASE = re.compile(
    r"\bin[\s-]situ\b|\bbasal[\s-]cell|\bexception\s+of\b|\bLHRH"
    r"|(?<!or )(?<!and )\b(?:other|another|second|concurrent|additional|prior|previous)\s+"
    r"(?:\w+\s+){0,2}?"
    r"(?:malignan|cancer|primar|neoplasm)|\bmalignan\w+\s+(?:other|except|within)|\bdisease[- ]free\b"
    r"|\bfamily\s+history|\bfirst[- ]degree\b"
    r"|^\s*(?:no|not|without|absence|free of)\b|\bno\s+(?:\w+\s+){0,3}?(?:malignan|cancer|tumou?r)",
    re.IGNORECASE,
)
_EXCEPT_COLORECTAL = re.compile(
    r"\b(?:except(?:\s+for)?|excluding|other\s+than|non-?|exception\s+of|not)[\s(-]*(?:for\s+)?(?:[\w,/]+\s+){0,3}?"
    r"(?:colorectal|colon|CRC)\b",
    re.IGNORECASE,
)
# An exclusion that names the bowel for another reason than its cancer being under study elsewhere.
_OTHER_REASON = re.compile(r"history|prior|previous|except|within|surg|metasta|resect|obstruct|with\b", re.IGNORECASE)
_LIMITED = re.compile(
    r"\b(?:limited\s+to|restricted\s+to|one\s+of\s+the\s+following|the\s+following\s+(?:\w+\s+){0,3}?types?|consisting\s+of"
    r"|only\s+the\s+following)",
    re.IGNORECASE,
)
_HEALTHY = re.compile(
    r"\bhealthy\s+(?:\w+\s+){0,2}?(?:volunteers?|subjects?|adults?|participants?|males?|females?|men|women|people"
    r"|individuals)|^\s*healthy\s*$|\bin\s+good\s+(?:general\s+)?health\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Named:
    """Groups of tumours that some statements name."""

    colorectal: bool = False
    gi_umbrella: bool = False
    gi_organ: bool = False
    elsewhere: bool = False
    blood: bool = False
    broad: bool = False

    @property
    def specific(self) -> bool:
        """Whether organs are named rather than cancer at large."""
        return self.colorectal or self.gi_umbrella or self.gi_organ or self.elsewhere or self.blood


@dataclass(frozen=True)
class Tumours:
    """What the trial accepts. ``certain``: the criteria and the registry's fields say the same."""

    accepted: bool
    scope: str
    conflict: bool
    certain: bool
    note: str


def tumours(criteria: Sequence[Statement], titles: Sequence[Statement], conditions: Sequence[Statement]) -> Tumours:
    """The tumours that a trial accepts."""
    included = [each.text for each in criteria if each.side != "exclusion" and not _NOT_THE_DISEASE.search(each.text)]
    excluded = [each.text for each in criteria if each.side == "exclusion"]
    heads, fields = [each.text for each in titles], [each.text for each in conditions]
    fields = _without_seats(fields, [*heads, *included])
    inside, titled, listed = named(included), named(heads), named(fields)
    if _any(_HEALTHY, (*fields, *heads, *included)) and not (titled.specific or listed.specific or listed.broad):
        return Tumours(False, "other", inside.colorectal, True, "healthy people")
    if _any(_HEALTHY, (*fields, *heads)) and not (inside.specific or inside.broad):
        return Tumours(False, "other", listed.specific or titled.specific, False, "healthy people, it seems")
    if _shut_out(included, excluded, heads):
        conflict = inside.colorectal or listed.colorectal
        return Tumours(False, "solid_tumours" if inside.broad or titled.broad else "other", conflict, True,
                       "colorectal cancer is excluded")  # fmt: skip
    if (
        _any(_BEFORE_CANCER, heads) or _any(_RELATIVES, (each.text for each in criteria if each.side != "exclusion"))
    ) and _any(_NO_HISTORY, (*excluded, *(e.text for e in criteria if e.side == ""))):
        return Tumours(False, "other", False, True, "people without colorectal cancer")
    ill = _any(_ILL, (text for text in included if _COLORECTAL.search(text) and not _NO_HISTORY.search(text)))
    invited = _any(_SCREENING, included) and not named(_SCREENING.sub(" ", text) for text in included).colorectal
    if (_any(_SCREENING, (*heads, *fields)) or (invited and not inside.broad)) and not ill:
        told = _any(_NO_HISTORY, (each.text for each in criteria))
        return Tumours(False, "other", False, told and not inside.broad, "people without colorectal cancer, it seems")
    if _no_adenocarcinoma(included, heads, fields):
        return Tumours(False, "other", False, not inside.colorectal, "tumours that are no adenocarcinoma")
    said = [each for each in (inside, titled, listed) if each.specific or each.broad]
    if not said:
        only_other = _any(_NOT_ADENO, (*fields, *heads, *included))
        note = "tumours that are no adenocarcinoma" if only_other else "no tumour is named"
        return Tumours(False, "other", False, bool(fields) or bool(included), note)
    return _weighed(inside, titled, listed, _limited_elsewhere(criteria))


def named(texts: Iterable[str]) -> Named:
    """The groups that texts name; tumours of the bowel that are no adenocarcinoma are taken out first."""
    rest = [_NOT_ADENO.sub(" ", text) for text in texts]
    return Named(
        colorectal=_any(_COLORECTAL, rest),
        gi_umbrella=_any(_GI_UMBRELLA, rest),
        gi_organ=_any(_GI_ORGAN, rest),
        elsewhere=_any(_ELSEWHERE, rest),
        blood=_any(_BLOOD, rest),
        broad=_any(_BROAD, rest) or _any(_BARE, rest),
    )


def _without_seats(fields: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Conditions without the organs in which colorectal cancer has its metastases."""
    spread = [text for text in (*texts, *fields) if _METASTASES.search(text) and _COLORECTAL.search(text)]

    def is_seat(field: str) -> bool:
        heading = _SEAT_HEADING.match(field)
        return heading is not None and _any(_SEATS[heading[1].lower()], spread)

    return [field for field in fields if not is_seat(field)] if spread else list(fields)


def _no_adenocarcinoma(included: Sequence[str], heads: Sequence[str], fields: Sequence[str]) -> bool:
    """Whether titles and conditions name carcinoids, stromal tumours and the like, and nothing names colorectal cancer:
    the bowel is then only where these sit."""
    told = [text for text in (*heads, *fields) if not _ORGAN_HEADING.match(text)]
    if not _any(_NOT_ADENO, told):
        return False
    rest = named(told)
    if rest.colorectal or rest.gi_umbrella or rest.broad:
        return False
    inside = [_NOT_ADENO.sub(" ", text) for text in included]
    return not (_any(_ADENO_NAMED, inside) or _any(_GI_UMBRELLA, inside) or _any(_BROAD, inside))


def _weighed(inside: Named, titled: Named, listed: Named, limited: bool) -> Tumours:
    fields = _joined(titled, listed)
    everywhere = _joined(inside, fields)
    if everywhere.colorectal or everywhere.gi_umbrella:
        # Criteria that name tumours without the bowel outrank a condition that names it.
        against = inside.specific and not (inside.colorectal or inside.gi_umbrella or inside.broad or titled.colorectal)
        if inside.colorectal and not (inside.gi_organ or inside.gi_umbrella or inside.elsewhere):
            several, digestive = inside.broad and (titled.broad or listed.broad), fields.gi_umbrella or fields.gi_organ
            several = several or fields.elsewhere
        else:
            solid = "solid" if everywhere.broad and not (inside.colorectal or titled.colorectal) else ""
            several = everywhere.elsewhere or bool(solid) or titled.broad or (inside.broad and listed.broad)
            digestive = everywhere.gi_organ or everywhere.gi_umbrella
        scope = "solid_tumours" if several else "gastrointestinal" if digestive else "colorectal_only"
        return Tumours(True, scope, against, inside.colorectal or inside.gi_umbrella, "")
    broad = titled.broad or listed.broad or inside.broad
    if broad and not (fields.specific and not (titled.broad or listed.broad)):
        if limited and not inside.colorectal:
            return Tumours(False, "other", True, True, "solid tumours limited to a list without colorectal cancer")
        narrow = inside.specific and not inside.broad
        if narrow and not (inside.elsewhere and inside.gi_organ):
            return Tumours(False, "other", True, False, "the criteria name other tumours only")
        return Tumours(True, "solid_tumours", False, inside.broad, "")
    return Tumours(False, "other", False, True, "other tumours only")


def _shut_out(included: Sequence[str], excluded: Sequence[str], titles: Sequence[str]) -> bool:
    if _any(_EXCEPT_COLORECTAL, (*included, *titles)):
        return True
    if named(included).colorectal:
        return False
    return any(
        _COLORECTAL.search(text) and len(text.split()) <= 12 and not _NOT_THE_DISEASE.search(text)
        and not _OTHER_REASON.search(text)
        and not _NOT_ADENO.search(text)
        for text in excluded
    )  # fmt: skip


def _limited_elsewhere(criteria: Sequence[Statement]) -> bool:
    """Whether the criteria narrow everyone down to listed tumours, none of them colorectal."""
    for each in criteria:
        if each.side != "exclusion" and not each.of_cohort and _LIMITED.search(each.text):
            listed = named([each.text])
            if listed.specific and not (listed.colorectal or listed.gi_umbrella):
                return True
    return False


def _joined(one: Named, other: Named) -> Named:
    return Named(*(getattr(one, name) or getattr(other, name) for name in Named.__dataclass_fields__))


def _any(pattern: re.Pattern[str], texts: Iterable[str]) -> bool:
    return any(pattern.search(text) for text in texts)
