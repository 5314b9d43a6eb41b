"""Reads RTF with a parser of its own: paragraphs and cells of each destination, and the document's properties.

Source: Rich Text Format Specification, version 1.9.1, "Conventions of an RTF reader".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dataset_project.documents.model.emitting import Locator

_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    r"|\\'(?P<hex>[0-9a-fA-F]{2})"
    r"|\\(?P<symbol>[^a-zA-Z])"
    r"|(?P<brace>[{}])"
    r"|(?P<text>[^\\{}\r\n]+)"
    r"|[\r\n]+"
)
_INFO = frozenset({"title", "subject", "author", "keywords", "company", "manager", "category", "doccomm", "operator"})
# Destinations whose text is somebody's words, beside the body's.
_READ = frozenset({"header", "footer", "footnote", "annotation", "atnauthor", "propname", "staticval"}) | _INFO
_IGNORED = frozenset({"fonttbl", "colortbl", "stylesheet", "pict", "info", "userprops", "atnid"})
_CHARACTERS = {"tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’"}
_CHARACTERS |= {"ldblquote": "“", "rdblquote": "”"}


@dataclass(frozen=True)
class _State:
    destination: str = "body"
    # Lines of the destination when it began: one that has written none has an empty one.
    lines: int = 0
    # Characters that stand for a \u number in readers that do not know it.
    skipped: int = 1


class Reader:
    """A file. ``text_at`` takes ``line`` locators (number within a destination) and ``property`` ones."""

    def __init__(self, content: bytes) -> None:
        self.lines: dict[str, list[str]] = {}
        self.order: list[str] = []
        self._pending: dict[str, list[str]] = {}
        self._parse(content.decode("ascii"))
        names, values = self.lines.get("propname", []), self.lines.get("staticval", [])
        self.custom = dict(zip(names, values, strict=True))

    def _flush(self, destination: str, *, even_empty: bool) -> None:
        pieces = self._pending.pop(destination, [])
        if pieces or even_empty:
            # Numbers of \u are UTF-16 code units.
            text = "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
            self.lines.setdefault(destination, []).append(text)
            self.order.append(text)

    def _add(self, state: _State, text: str) -> None:
        if state.destination:
            self._pending.setdefault(state.destination, []).append(text)

    def _parse(self, source: str) -> None:
        if not source.startswith("{\\rtf1"):
            raise ValueError("not an RTF file")
        stack: list[_State] = []
        state = _State()
        star = False
        skip = 0
        for match in _TOKEN.finditer(source):
            kind = match.lastgroup
            if kind == "brace":
                if match[0] == "{":
                    stack.append(state)
                else:
                    outer = stack.pop()
                    if outer.destination != state.destination and state.destination:
                        written = len(self.lines.get(state.destination, ()))
                        self._flush(state.destination, even_empty=written == state.lines)
                    state = outer
                star, skip = False, 0
            elif kind == "text":
                text = match[0][skip:]
                skip = max(0, skip - len(match[0]))
                if text:
                    self._add(state, text)
            elif kind == "hex":
                if skip:
                    skip -= 1
                else:
                    self._add(state, bytes.fromhex(match["hex"]).decode("cp1252", "replace"))
            elif kind == "symbol":
                if match["symbol"] == "*":
                    star = True
                elif match["symbol"] in "\\{}":
                    self._add(state, match["symbol"])
                elif match["symbol"] in "~_-":
                    self._add(state, {"~": "\xa0", "_": "\u2011", "-": "\xad"}[match["symbol"]])
            elif match["word"]:
                word, number = match["word"], match["number"]
                if word == "u" and number:
                    self._add(state, chr(int(number) & 0xFFFF))
                    skip = state.skipped
                else:
                    state = self._word(state, word, number, star)
                star = False
        if stack:
            raise ValueError("the braces of the RTF file do not match")

    def _word(self, state: _State, word: str, number: str | None, star: bool) -> _State:
        """What a control word does; returns the state after it."""
        if word == "uc":
            return replace(state, skipped=int(number or 1))
        if word in _READ:
            return replace(state, destination=word, lines=len(self.lines.get(word, ())))
        if word in _IGNORED or star:
            return replace(state, destination="")
        if word in ("par", "cell", "sect"):
            if state.destination:
                self._flush(state.destination, even_empty=True)
        elif word in _CHARACTERS:
            self._add(state, _CHARACTERS[word])
        return state

    def text_at(self, locator: Locator) -> str:
        """The line or property. Raises KeyError where there is none."""
        text = ""
        if locator["kind"] == "line":
            lines = self.lines.get(locator.get("destination", "body"), [])
            text = lines[locator["line"]] if 0 <= locator["line"] < len(lines) else ""
        elif locator["kind"] == "property" and locator["part"] == "userprops":
            text = self.custom.get(locator["name"], "")
        elif locator["kind"] == "property" and locator["name"] in _INFO:
            text = "".join(self.lines.get(locator["name"], ())[:1])
        if not text:
            raise KeyError(f"no text at {dict(locator)}")
        return text

    def everything(self) -> str:
        """All lines of all destinations, properties included, as they end in the file."""
        return "\n".join(self.order)
