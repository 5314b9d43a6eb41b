"""A local file of trials, whatever its kind: JSON or JSON lines, CSV, Parquet, gzip of the former two, zip.

The kind is told from the content, not from the name. The kinds themselves are read in `documents` and `tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

from dataset_project.trials.records.documents import BOM, read_documents
from dataset_project.trials.records.errors import InvalidSource, NotJson
from dataset_project.trials.records.intake import Intake
from dataset_project.trials.records.packed import open_archive, open_gzip
from dataset_project.trials.records.tables import read_csv, read_parquet

_HEAD = 65_536
_TABLES = (".csv", ".tsv")


def read_file(path: Path, columns: Mapping[str, str], intake: Intake, where: str | None = None) -> None:
    """Every record of a file into ``intake``. ``columns``: our field → column, for tables; ``where``: what messages
    call the file.

    In a zip of several files each is read, by name; one that is not JSON (nor a table by its suffix) counts as one
    record that was rejected. Raises InvalidSource for a file that does not exist, is empty, is none of the kinds, is
    not UTF-8, damaged, or has no records; see also `find_columns`.
    """
    where = where or str(path)
    before = intake.records
    try:
        if path.is_dir():
            raise InvalidSource(f"{where} is a folder; give a file, several as one .zip or as JSON lines")
        with path.open("rb") as stream:
            magic = stream.read(4)
    except FileNotFoundError:
        raise InvalidSource(f"{where} does not exist; check the path") from None
    except OSError as error:
        raise InvalidSource(f"{where} cannot be read: {error.strerror or error}") from None
    if magic == b"PAR1":
        read_parquet(path, where, columns, intake)
    elif magic[:2] == b"PK":
        _read_archive(path, columns, intake, where)
    elif magic[:2] == b"\x1f\x8b":
        _read_stream(partial(open_gzip, path, where), columns, intake, where)
    else:
        _read_stream(partial(path.open, "rb"), columns, intake, where)
    if intake.records == before:
        raise InvalidSource(f"{where} has no records")


def _read_stream(open_stream: Callable[[], BinaryIO], columns: Mapping[str, str], intake: Intake, where: str) -> None:
    if _is_json(open_stream, where):
        read_documents(open_stream, where, intake)
    else:
        read_csv(open_stream, where, columns, intake)


def _read_archive(path: Path, columns: Mapping[str, str], intake: Intake, where: str) -> None:
    with open_archive(path, where) as archive:
        names = archive.names
        for name in names:
            member = partial(archive.open, name)
            try:
                if len(names) > 1 and not name.lower().endswith(_TABLES) and not _is_json(member, name):
                    raise NotJson(f"{name} is not JSON")
                _read_stream(member, columns, intake, name)
            except NotJson as error:
                if len(names) == 1:
                    raise NotJson(f"{where}: {error}") from None
                intake.refuse("not_a_study", str(error))
            except InvalidSource as error:
                raise InvalidSource(f"{where}: {error}") from None


def _is_json(open_stream: Callable[[], BinaryIO], where: str) -> bool:
    """Whether a stream begins as JSON; False for what may be a table.

    Raises NotJson for an empty one and for what is clearly neither, InvalidSource for UTF-16.
    """
    with open_stream() as stream:
        head = stream.read(_HEAD)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InvalidSource(f"{where} is UTF-16, not UTF-8; convert it, for example with iconv")
    text = head.removeprefix(BOM).lstrip()
    if not text:
        raise NotJson(f"{where} is empty")
    if head[:4] == b"PAR1" or head[:2] in (b"PK", b"\x1f\x8b"):
        raise NotJson(f"{where} is packed twice, or Parquet in an archive; unpack it once and give what is inside")
    if text[:1] == b"<":
        raise NotJson(f"{where} is XML or a web page; JSON (schema v2), CSV and Parquet can be read")
    if b"\0" in head:
        raise NotJson(f"{where} is neither text nor Parquet; JSON (schema v2), CSV and Parquet can be read")
    return text[:1] in b"[{"
