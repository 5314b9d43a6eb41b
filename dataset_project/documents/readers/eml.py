"""Reads messages with the standard library's parser: headers, parts by path, attachments by their formats' readers."""

from __future__ import annotations

from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import getaddresses
from typing import Any

from dataset_project.documents.model.emitting import Locator
from dataset_project.documents.readers.html import Reader as HtmlReader
from dataset_project.documents.readers.registry import Reads, reader_for_file
from dataset_project.documents.readers.txt import Reader as TextReader

_ADDRESSES = ("From", "To", "Cc", "Bcc", "Reply-To", "Sender")


def _addresses(raw: str) -> list[str]:
    """``Name <address>`` of each address of a header field, decoded. The parsed header itself will not do: it leaves a
    blank between two encoded words of one name."""
    found = []
    for name, where in getaddresses([raw.replace("\r\n", "").replace("\n", "")]):
        decoded = str(make_header(decode_header(name)))
        found.append(f"{decoded} <{where}>" if decoded else where)
    return found


class MessageReader:
    """A parsed message, which may be the attachment of another."""

    def __init__(self, message: Any) -> None:
        self.message: EmailMessage = message
        # A message is asked for many places of one part, and the parser parses headers whenever they are read.
        self._parts: dict[str, Any] = {}
        self._readers: dict[int, Reads] = {}

    def _part(self, path: str) -> Any:
        if path not in self._parts:
            self._parts[path] = self._found(path)
        return self._parts[path]

    def _found(self, path: str) -> Any:
        part: Any = self.message
        numbers = [int(number) - 1 for number in path.split(".")]
        if not part.is_multipart() and numbers == [0]:
            return part
        for number in numbers:
            if part.get_content_maintype() != "multipart" or not 0 <= number < len(part.get_payload()):
                raise KeyError(f"no part {path} in the message")
            part = part.get_payload(number)
        return part

    def _reader(self, part: Any) -> Reads:
        """The reader of a leaf."""
        found = self._readers.get(id(part))
        if found is None:
            kind, name = part.get_content_type(), part.get_filename()
            if kind == "message/rfc822":
                found = MessageReader(part.get_payload(0))
            elif name:
                found = reader_for_file(name, part.get_payload(decode=True))
            else:
                content = part.get_payload(decode=True).replace(b"\r\n", b"\n")
                found = HtmlReader(content) if kind == "text/html" else TextReader(content)
            self._readers[id(part)] = found
        return found

    def _header(self, name: str, index: int) -> str:
        raw = dict(self.message.raw_items()).get(name)
        if raw is None:
            raise KeyError(f"no header {name} in the message")
        if name not in _ADDRESSES:
            return str(self.message[name])
        found = _addresses(str(raw))
        if not 0 <= index < len(found):
            raise KeyError(f"no address {index} in {name}")
        return found[index]

    def text_at(self, locator: Locator) -> str:
        """The header's, part's or attachment's text. Raises KeyError where there is none."""
        if locator["kind"] == "mail_header":
            return self._header(locator["header"], locator["index"])
        if locator["kind"] != "mime":
            raise KeyError(f"a message has no {locator['kind']}")
        part, inner = self._part(locator["path"]), locator["inner"]
        if inner["kind"] == "file_name":
            if not (name := part.get_filename()):
                raise KeyError(f"no file name at {dict(locator)}")
            return name
        return self._reader(part).text_at(inner)

    def everything(self) -> str:
        """Headers, and everything in every part, names of attachments included."""
        found = [
            f"{name}: {', '.join(_addresses(str(raw))) if name in _ADDRESSES else value}"
            for (name, value), (_, raw) in zip(self.message.items(), self.message.raw_items(), strict=True)
        ]
        found += self._of_part(self.message)
        return "\n".join(found)

    def _of_part(self, part: Any) -> list[str]:
        if part.get_content_maintype() == "multipart":
            return [text for each in part.iter_parts() for text in self._of_part(each)]
        name = part.get_filename()
        return [*([name] if name else []), self._reader(part).everything()]


class Reader(MessageReader):
    """A message file. ``text_at`` takes ``mail_header`` locators, and ``mime`` ones around a place in the part."""

    def __init__(self, content: bytes) -> None:
        super().__init__(BytesParser(policy=default).parsebytes(content))
        # The parser notes what is wrong instead of failing.
        for part in self.message.walk():
            if part.defects:
                raise ValueError(f"the message is malformed: {part.defects}")
