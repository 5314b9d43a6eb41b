"""The readers by format, and by the name of an attachment or a member. What a reader finds belongs to its module."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Protocol

from dataset_project.documents.formats.registry import NAMES, format_named
from dataset_project.documents.model.emitting import Locator


class Reads(Protocol):
    """A file of one format as an independent library finds it; made of its bytes.

    ``text_at`` raises KeyError where nothing is, or for a kind of locator that the format does not have.
    """

    def text_at(self, locator: Locator) -> str: ...

    def everything(self) -> str: ...


# A nested message is a message to whoever reads it.
_MODULE = {"nested_eml": "eml"}


@cache
def reader_of(name: str) -> Any:
    """The class of the reader of the format ``name``. Raises ValueError for a name that is no format's."""
    if name not in NAMES:
        raise ValueError(f"no document format {name!r}: one of {', '.join(NAMES)}")
    return import_module(f"dataset_project.documents.readers.{_MODULE.get(name, name)}").Reader


@cache
def _by_suffix() -> dict[str, str]:
    return {format_named(name).suffix: name for name in reversed(NAMES)}


def reader_for_file(name: str, content: bytes) -> Reads:
    """The reader of a file by the suffix of its name. Raises KeyError for a suffix that is no format's."""
    return reader_of(_by_suffix()[name.rpartition(".")[2].lower()])(content)
