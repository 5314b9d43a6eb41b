"""What criteria say of KRAS without asking it of the tumour: drugs, blood cells, amplification, other mutations.

Each rule takes a phrase out of a statement before `kras_mutations` reads what the rest requires. Which tumours are
accepted belongs to `kras_tumours`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

RAS = r"(?:pan-?)?\b[KNH]?RAS\b"
ALLELE = re.compile(r"\b(?:G12|G13|Q61|A146|K117|A59)[A-Z]\b")
NAMED = re.compile(rf"{RAS}|{ALLELE.pattern}", re.IGNORECASE)
_ALLELES = r"(?:[\s/(\[-]*(?:G12[A-Z]|G13D|Q61[A-Z])[)\]]?){0,8}"
_QUALIFIERS = r"(?:[\s/(\[-]*(?:G12[A-Z]|G13D|Q61[A-Z]|ON|OFF|mutant|mutations?|mutated|wild[\s-]type)[)\]]?){0,8}"
_MEMBER = rf"(?:{RAS}|\bG12[A-Z]\b){_ALLELES}"
_BLOCKERS = r"(?:inhibitors?|degraders?|blockers?|antagonists?|vaccines?|TCR\w*|T[\s-]cells?|antibod(?:y|ies))"
_AGENTS = r"(?:therap(?:y|ies)|agents?|treatments?|drugs?|compounds?|molecules?|medicines?)"
_OBJECT = (
    r"(?:(?:the|all|any|several|multiple|various|mutant|mutated|oncogenic)\s+){0,3}"
    rf"(?:{RAS}|\bG12[A-Z]\b){_QUALIFIERS}"
)
_DRUG = re.compile(
    # "KRAS G12D or pan-RAS inhibitor": a list of targets before one drug.
    rf"(?:{_MEMBER}(?:\s*,\s*{_MEMBER}){{0,3}}\s*,?\s*(?:and/)?or\s+(?:an?\s+)?)?"
    rf"(?:anti-)?(?:{RAS}|\bG12[A-Z]\b){_QUALIFIERS}[\s(-]*(?:\w+ly\s+)?"
    r"(?:(?:selective|specific|targeted|targeting|directed|covalent|reactive|pathway)[\s-]*)*"
    r"(?:inhibitors?|inhibition|degraders?|blockers?|blockade|vaccines?|TCR\w*|T[\s-]cells?|antagonists?"
    r"|(?:therap(?:y|ies)|agents?|treatments?|drugs?|targeting|targeted|directed)\b)"
    rf"|\b(?:inhibit\w*|target(?:s|ing|ed)?|directed\s+(?:against|at|to)|against|blocking)\s+(?:of\s+)?"
    rf"(?:mutant\s+|mutated\s+|the\s+)?(?:{RAS}){_QUALIFIERS}"
    # "inhibitor or degrader selective for KRAS G12D", "a molecule that binds KRAS"
    rf"|\b{_BLOCKERS}\s+(?:(?:selective|specific|directed|aimed|active)\s+)?(?:for|of|against|to|at|on)\s+{_OBJECT}"
    rf"|\b(?:{_BLOCKERS}|{_AGENTS})\s+(?:(?:that|which|is|are|selectively|directly)\s+){{0,3}}"
    r"(?:binds?|binding|blocks?|targets?|degrades?|degrading|inhibits?|acts?\s+on|acting\s+on|active\s+against|aimed\s+at"
    rf"|(?:selective|specific)\s+for)\s+{_OBJECT}",
    re.IGNORECASE,
)
_PERSONS = (
    r"(?:(?:patients?|participants?|subjects?|people|those|who|with|has|have|had|any|known|a|an|history\s+of)\s+)"
)
_MUTATED = r"(?:mutat\w+|mutant|alter(?:ed|ations?)|positive)"
# "Earlier exposure to RAS-directed experimental compounds". A mutation joined to it by "or" is a criterion of its own.
_TREATED = re.compile(
    rf"^[\W\d]*{_PERSONS}*(?:prior|previous(?:ly)?|earlier|past|preceding|former|received|treated|treatment|therapy"
    r"|exposure|exposed|pre-?treat\w+|current|ongoing|use)\b"
    rf"(?=[^.;:]*?(?:\[drug\]|\b{_BLOCKERS}|\b{_AGENTS}))"
    rf"(?:(?!(?:,|\bor\b|\band\b)\s*(?:(?:a|any|the|known|documented|presence\s+of|with|tumou?rs?|have|has)\s+){{0,4}}"
    rf"(?:{RAS}|{ALLELE.pattern}){_ALLELES}[\s-]*(?:gene\s+)?{_MUTATED})[^.;:])+",
    re.IGNORECASE,
)
# "not expected, given that RAS is mutated": why, not what.
_REASON = re.compile(
    rf"\b(?:given\s+that|because|since|inasmuch\s+as)\s+[^.;,]{{0,40}}?(?:{RAS})[^.;,]*", re.IGNORECASE
)
_NEGATED = re.compile(r"\b(?:no|not|never|without|absence|lack\w*|free\s+of|exclud\w+|neither|nor)\b", re.IGNORECASE)
_CELLS = (
    r"(?:\bleu[ck]ocytes?|\blymphocytes?|\bwhite\s+(?:blood\s+)?cells?|\bbuffy[\s-]+coats?|\bPBMCs?|\bmarrow"
    r"|\bnormal\s+(?:tissue|mucosa|cells)|\bperipheral\s+blood\s+cells?)"
)
_CLONAL = r"(?:\bclonal\s+ha?ematopoie\w+|\bCHIP\b|\bgerm-?\s?line|\bconstitutional\w*|\bRASopath\w+)"
_OF_BLOOD = re.compile(
    rf"(?:{_CLONAL}|{_CELLS})[^.;]{{0,60}}?(?:{RAS})|(?:{RAS})[^.;]{{0,80}}?(?:{_CLONAL}|{_CELLS})", re.IGNORECASE
)
_OF_CLONES = re.compile(_CLONAL, re.IGNORECASE)
_OF_TUMOUR = re.compile(
    r"\btumou?rs?\b|(?<!normal )\btissue|\bplasma|\bctDNA|\bcancer|\bmetasta|\bbiops", re.IGNORECASE
)
_OR_TUMOUR = re.compile(rf"\b(?:or|and)\b[^.;]{{0,25}}?(?:{_OF_TUMOUR.pattern})", re.IGNORECASE)
_GAIN = r"(?:amplif\w+|copy[\s-]+number\s+gains?|overexpress\w+)"
_AMPLIFIED = re.compile(
    rf"(?:\b(?:wild[\s-]*type|WT)\s+)?(?:{RAS})[\s-]*(?:gene\s+)?(?:wild[\s-]*type\s+)?{_GAIN}"
    rf"|{_GAIN}\s+(?:of|in)\s+(?:the\s+)?(?:wild[\s-]*type|WT)\s+(?:{RAS})"
    rf"|(?<!or )(?<!and )(?<!/){_GAIN}\s+(?:of|in)\s+(?:the\s+)?(?:{RAS})",
    re.IGNORECASE,
)
_KIND = (
    r"(?:mutations?|alterations?|variants?|alleles?|proteins?|isoforms?|substitutions?|aberrations?|changes?|codons?"
    r"|forms?)"
)
_ELSEWHERE = (
    r"(?:elsewhere|(?:of|at|in)\s+(?:an?y?\s+)?(?:other|another|different)\s+"
    r"(?:kind|type|sort|codon|position|site|residue)s?)"
)
_OTHERS = re.compile(
    r"\b(?:other|another|different|additional|second|further|several|multiple|more\s+than\s+one)\s+(?!than\b)(?:\w+\s+){0,2}?"
    rf"(?:{RAS})[\s-]+(?:(?:gene|codon|exon|hotspot|driver|activating|mutant)[\s-]+)*{_KIND}"
    rf"|(?:{RAS})[\s-]+(?:gene\s+)?{_KIND}\s+{_ELSEWHERE}(?:\s*\([^)]*\))?"
    rf"|\bmutat\w+\s+{_ELSEWHERE}\s+(?:in|of)\s+(?:the\s+)?(?:{RAS})",
    re.IGNORECASE,
)
_CONCURRENT = re.compile(
    r"\b(?:concurrent|co-?\s?occurring|concomitant|co-?existing|co-?existent|simultaneous)\s+"
    rf"(?:(?:additional|activating|known|other|pathogenic|oncogenic)\s+)*(?:{RAS}|{ALLELE.pattern})[^.;]*"
    # "G12C, in which G12D may be found as well"
    rf"|\b(?:in\s+which|where|although|even\s+if|which)\s+[^.;,]{{0,30}}?(?:{NAMED.pattern})[^.;,]{{0,30}}?"
    r"\b(?:may|might|can|could)\b[^.;]*"
    rf"|(?:(?:{RAS})\s+)?(?:{ALLELE.pattern})[\s-]+co-?\s?mutat\w+|(?:{RAS})[\s-]+co-?\s?mutat\w+",
    re.IGNORECASE,
)
# "KRAS G12C or any other KRAS mutation": no mutation is left out.
_LIST_GOES_ON = re.compile(r"(?:\bor|\band|/)\s*(?:any\s+|an\s+)?$", re.IGNORECASE)
_ON_ITS_OWN = re.compile(r"[;,]\s*(?:or\s+|and\s+)?(?:an?y?\s+)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Rest:
    """A statement without its asides. ``relative``: it shuts out mutations other than the one required elsewhere;
    ``amplified``: it names an amplification of KRAS; ``unsure``: it can be read in another way too."""

    text: str
    relative: bool = False
    amplified: bool = False
    unsure: bool = False


def without_asides(text: str, excluding: bool) -> Rest:
    """What remains of a statement once phrases that ask nothing of the tumour's KRAS are taken out."""
    text = _REASON.sub("[reason]", _DRUG.sub("[drug]", text))
    if not NAMED.search(text):
        return Rest(text)
    negated = excluding or bool(_NEGATED.search(text))
    if negated:
        text = _TREATED.sub("[treated] ", text)
    amplified = _AMPLIFIED.sub(" [amplified] ", text)
    found, text = amplified != text, amplified
    unsure = False
    cells = _OF_BLOOD.search(text) if negated and (excluding or not ALLELE.search(text)) else None
    if cells is not None:
        unsure = bool(_OF_TUMOUR.search(text[: cells.end()]) or _OR_TUMOUR.search(text[cells.end() :]))
        if not unsure or _OF_CLONES.search(text):
            return Rest("[blood]", unsure=unsure)
    text, relative = _without_others(text, excluding)
    return Rest(text, relative, found, unsure)


def _without_others(text: str, excluding: bool) -> tuple[str, bool]:
    found = _CONCURRENT.search(text) or _OTHERS.search(text)
    if found is None:
        return text, False
    before = text[: found.start()]
    if _LIST_GOES_ON.search(before) and NAMED.search(before):
        return ALLELE.sub(" ", text), False
    alone = _OTHERS.sub(" [others] ", _CONCURRENT.sub(" [others] ", text))
    if NAMED.search(alone):
        # Among the exclusions "G12D with another KRAS mutation" shuts out the pair, not G12D.
        pair = excluding and not _ON_ITS_OWN.search(before)
        return ("[others]", True) if pair else (alone, False)
    if excluding or _NEGATED.search(before):
        return alone, True
    return text, False
