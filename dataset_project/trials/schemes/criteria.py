"""Where eligibility criteria begin to include and to exclude: the headings that registries' free text uses.

Both the splitting of long criteria and the reading rules stand on this; neither belongs here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Side = Literal["inclusion", "exclusion", ""]

# Words that may stand before "inclusion" in a heading, and what may follow it there. Anything else is a criterion.
_BEFORE = (
    r"(?:(?:key|main|major|general|principal|primary|specific|additional|other|common|core|patients?|subjects?"
    r"|participants?|study|trial|donor|recipient|treatment|safety|run-in|part|phase|cohorts?|arms?|groups?|stage|step|dose"
    r"|escalation|expansion|screening|randomi[sz]ation|and|for|all|the|of|[ivx0-9]{1,4}[a-d]?|[a-d])[\s,:.)(/&-]+){0,6}?"
)
_KIND = r"(?P<kind>inclusion|incl?\b\.?|exclusion|excl?\b\.?|non-?inclusion|in-?eligibility|eligibility)"
_NOUN = r"(?:\s*(?:criteria|criterion|criterions|criterium))"
_HEADING = re.compile(
    rf"^[\s\W\d_]*{_BEFORE}{_KIND}(?:{_NOUN}(?P<rest>\s*(?:[(\[–—/-]|for\b|of\b|part\b|phase\b|\d)[^:.]{{0,90}})?\s*"
    # A colon or the line's end; "Exclusion Criteria 3. Pregnancy"; a bare "Exclusion".
    rf"(?::|(?![\W_]*\.)[\W_]*$)|{_NOUN}\s*(?=\d{{1,2}}[.)]\s)|\s*:|(?<=clusion)\s*$)(?P<tail>.*)$",
    re.IGNORECASE,
)
# A sentence that opens a list of exclusions. Never a bullet: what follows it may belong to the outer list again.
_SENTENCE_HEADING = re.compile(
    r"^\s*(?:an?\s|the\s|any\s)?(?:patients?|subjects?|participants?|individuals?|women|men|people|those"
    r"|(?:in\s+order\s+)?to\s+be\s+eligible)\b[^.:]{0,90}?\b(?:(?:not\s+(?:be\s+)?eligible|ineligible|excluded"
    r"|not\s+(?:be\s+)?(?:included|enrolled)|must\s+not\s+meet)\b[^.:]{0,120}|must\s+not\s*):\s*$",
    re.IGNORECASE,
)
# A heading in the middle of a line, as in criteria whose line breaks were lost.
_INLINE = re.compile(
    r"(?<=\S)[ \t]+(?=(?:[-*]\s*)?(?:(?:Key|Main|Major|KEY|MAIN|MAJOR)\s+)?"
    r"(?:(?:Inclusion|Exclusion)\s+[Cc]riteria|(?:INCLUSION|EXCLUSION)\s+CRITERIA)\s*:)"
)


@dataclass(frozen=True)
class Section:
    """Lines that stand under one heading. ``heading`` is the heading's own line, empty where there was none; ``side``
    is empty there too. ``lines`` are verbatim, without the heading."""

    side: Side
    heading: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its lines as one text."""
        return "\n".join(self.lines)


def sections(criteria: str) -> list[Section]:
    """The criteria in sections, in order: every line but blank margins is in exactly one, as heading or line."""
    found: list[Section] = []
    side: Side = ""
    heading, lines = "", []
    for line in _INLINE.sub("\n", criteria).splitlines():
        start = heading_of(line)
        if start is None:
            lines.append(line)
            continue
        if heading or any(each.strip() for each in lines):
            found.append(Section(side, heading, tuple(lines)))
        side, heading, tail = start
        lines = [tail] if tail else []
    if heading or any(each.strip() for each in lines):
        found.append(Section(side, heading, tuple(lines)))
    return found


def heading_of(line: str) -> tuple[Side, str, str] | None:
    """(side, heading, what follows it in the same line) where a line is or starts with a heading, else None."""
    found = _HEADING.match(line)
    if found is not None:
        kind = found.group("kind").lower()
        side: Side = "exclusion" if kind.startswith(("exc", "non", "in-elig", "inelig")) else "inclusion"
        tail = found.group("tail").strip()
        if not any(each.isalnum() for each in tail):
            return side, line.strip(), ""
        return side, line[: found.start("tail")].strip() if tail else line.strip(), tail
    if _SENTENCE_HEADING.match(line):
        return "exclusion", line.strip(), ""
    return None
