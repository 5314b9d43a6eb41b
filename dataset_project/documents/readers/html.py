"""Reads HTML with the standard library's parser: elements by id, comments by number."""

from __future__ import annotations

from html.parser import HTMLParser

from dataset_project.documents.model.emitting import Locator

_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
# Attributes in which people put text.
_TEXTS = ("value", "alt", "content", "title", "placeholder", "aria-label")


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, list[str]]] = []
        self.elements: dict[str, list[str]] = {}
        self.comments: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        texts = [text for name in _TEXTS if (text := named.get(name))]
        self.found += texts
        pieces: list[str] = list(texts)
        if identity := named.get("id"):
            if identity in self.elements:
                raise ValueError(f"two elements with the id {identity!r}")
            self.elements[identity] = pieces
        if tag not in _VOID:
            self.open.append((tag, pieces))

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            name, _ = self.open.pop()
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        for _, pieces in self.open:
            pieces.append(data)
        if not any(tag in ("style", "script") for tag, _ in self.open) and data.strip():
            self.found.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)
        self.found.append(data)


class Reader:
    """A page. ``text_at`` takes ``html`` locators: the id of an element, whose text or value, alternative text or
    content is found, or the number of a comment."""

    def __init__(self, content: bytes) -> None:
        self._parser = _Parser()
        self._parser.feed(content.decode("utf-8-sig"))
        self._parser.close()

    def text_at(self, locator: Locator) -> str:
        """The element's or comment's text. Raises KeyError where there is none."""
        if locator["kind"] != "html":
            raise KeyError(f"a page has no {locator['kind']}")
        if "comment" in locator:
            comments = self._parser.comments
            text = comments[locator["comment"]] if 0 <= locator["comment"] < len(comments) else ""
        else:
            text = "".join(self._parser.elements.get(locator["id"], ()))
        if not text:
            raise KeyError(f"no text at {dict(locator)}")
        return text

    def everything(self) -> str:
        """Text, values, alternative texts, contents of meta tags and comments, in the order of the file."""
        return "\n".join(self._parser.found)
