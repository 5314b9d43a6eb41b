"""Opening compressed files, with a guard against ones that unpack to absurd sizes. What is inside is not looked at."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dataset_project.trials.records.errors import InvalidSource

# Studies shrink 5 to 20 times, deflate can do 1,000: beyond a hundred (and a size that harms nobody) it is a bomb.
MOST_RATIO = 100
HARMLESS_BYTES = 256 * 2**20
_BUFFER = 2**18
_DAMAGED = (EOFError, OSError, zlib.error, zipfile.BadZipFile)


def most_bytes(packed: int) -> int:
    """How many bytes ``packed`` compressed ones may unpack to."""
    return max(HARMLESS_BYTES, MOST_RATIO * packed)


def open_gzip(path: Path, where: str) -> BinaryIO:
    """The unpacked bytes; reading raises InvalidSource for a damaged file and one that unpacks to too much."""
    return _guarded(gzip.open(path, "rb"), where, most_bytes(path.stat().st_size))


class Archive:
    """A zip file. Members that hold nothing of the user's (folders, hidden files, macOS's own) are left out.

    Raises InvalidSource for a damaged, encrypted or empty archive and for one that unpacks to too much.
    """

    def __init__(self, file: zipfile.ZipFile, where: str, packed: int) -> None:
        self._file = file
        infos = [info for info in file.infolist() if not info.is_dir() and not _is_hidden(info.filename)]
        self._members = {info.filename: info for info in infos}
        if "[Content_Types].xml" in self._members:
            raise InvalidSource(f"{where} is an Office file, not a table; save it as CSV")
        if not infos:
            raise InvalidSource(f"{where} is an archive without files")
        if len(self._members) < len(infos):
            raise InvalidSource(f"{where} holds two files of the same name; make the archive anew")
        if any(info.flag_bits & 1 for info in infos):
            raise InvalidSource(f"{where} is encrypted; unpack it and give the file inside")
        total = sum(info.file_size for info in infos)
        if total > most_bytes(packed):
            raise InvalidSource(_bomb(where, most_bytes(packed)))

    @property
    def names(self) -> list[str]:
        """Members, sorted."""
        return sorted(self._members)

    def open(self, name: str) -> BinaryIO:
        """The unpacked bytes of a member, no more than the archive declares. Messages name the member only."""
        info = self._members[name]
        try:
            return _guarded(self._file.open(info), name, info.file_size)
        except (*_DAMAGED, NotImplementedError, RuntimeError) as error:
            raise InvalidSource(f"{name} cannot be unpacked: {error}") from None


@contextmanager
def open_archive(path: Path, where: str) -> Iterator[Archive]:
    """A zip file's members, see Archive."""
    try:
        file = zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise InvalidSource(f"{where} is a damaged archive: {error}; fetch or make it again") from None
    with file:
        yield Archive(file, where, path.stat().st_size)


def _is_hidden(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith(".")


def _bomb(where: str, most: int) -> str:
    return (
        f"{where} unpacks to more than {most:,} bytes, over {MOST_RATIO} times its size: such files are made to "
        "fill memory; unpack it yourself if you trust it"
    )


def _guarded(inner: BinaryIO, where: str, most: int) -> BinaryIO:
    return io.BufferedReader(_Guarded(inner, where, most), _BUFFER)


class _Guarded(io.RawIOBase):
    """A stream that may give so many bytes and whose faults are InvalidSource."""

    def __init__(self, inner: BinaryIO, where: str, most: int) -> None:
        self._inner, self._where, self._most, self._left = inner, where, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        try:
            content = self._inner.read(len(buffer))
        except _DAMAGED as error:
            raise InvalidSource(f"{self._where} is damaged or incomplete: {error}; fetch or make it again") from None
        self._left -= len(content)
        if self._left < 0:
            raise InvalidSource(_bomb(self._where, self._most))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._inner.close()
        super().close()
