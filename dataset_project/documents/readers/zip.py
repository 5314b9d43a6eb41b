"""Reads ZIP archives with the standard library: names, and members with the readers of their formats."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

from dataset_project.documents.model.emitting import Locator
from dataset_project.documents.readers.registry import Reads, reader_for_file


class Reader:
    """An archive. ``text_at`` takes ``member`` locators around ``file_name`` or the member's own."""

    def __init__(self, content: bytes) -> None:
        with ZipFile(BytesIO(content)) as archive:
            if damaged := archive.testzip():
                raise ValueError(f"the archive's member {damaged!r} is damaged")
            self.comment = archive.comment.decode("utf-8", "replace")
            self.members = {name: archive.read(name) for name in archive.namelist()}
        self._readers: dict[str, Reads] = {}

    def _reader(self, name: str) -> Reads:
        if name not in self._readers:
            self._readers[name] = reader_for_file(name, self.members[name])
        return self._readers[name]

    def text_at(self, locator: Locator) -> str:
        """The member's name or what is in it. Raises KeyError where there is none."""
        if locator["kind"] != "member" or locator["name"] not in self.members:
            raise KeyError(f"no member at {dict(locator)}")
        if locator["inner"]["kind"] == "file_name":
            return locator["name"]
        return self._reader(locator["name"]).text_at(locator["inner"])

    def everything(self) -> str:
        """Names and everything in the members. Raises KeyError for a member of no known format."""
        found = [self.comment] if self.comment else []
        for name in self.members:
            found += (name, self._reader(name).everything())
        return "\n".join(found)
