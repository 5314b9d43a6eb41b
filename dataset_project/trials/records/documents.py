"""JSON files of studies: one study, a list, a page of the registry, or one of these per line.

JSON lines are read one by one. A document that is not one per line is parsed whole: a list takes some four times its
size in memory, so a very big one is better turned into JSON lines (``jq -c '.[]'``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from pydantic_core import from_json

from dataset_project.trials.records.errors import InvalidSource, NotJson
from dataset_project.trials.records.intake import Intake
from dataset_project.trials.records.study import kind_of

BOM = b"\xef\xbb\xbf"
_LINES_TRIED = 100


def read_documents(open_stream: Callable[[], BinaryIO], where: str, intake: Intake) -> None:
    """Every record of a JSON file into ``intake``; a broken line among JSON lines becomes a reject, blank ones do not
    count. ``open_stream`` may be called twice. Raises NotJson when the file is neither JSON nor JSON lines,
    InvalidSource when it is not UTF-8.
    """
    with open_stream() as stream:
        number, line = _first_line(stream)
        try:
            value = from_json(line, cache_strings="keys")
        except ValueError as error:
            whole = line + stream.read()
            if len(whole) == len(line):
                require_utf8(line, where, number)
                raise NotJson(f"{where} is not JSON: {_problem(error, number)}; is it complete?") from None
        else:
            del line
            take_value(value, intake)
            del value
            _take_lines(stream, number, where, intake)
            return
    try:
        value = from_json(whole, cache_strings="keys")
    except ValueError as error:
        require_utf8(whole, where, number)
        if not _is_lines(line, whole[len(line) :]):
            raise NotJson(f"{where} is not JSON: {_problem(error, number)}; is it complete?") from None
        del whole
        with open_stream() as stream:
            _take_lines(stream, 0, where, intake)
    else:
        del whole
        take_value(value, intake)


def take_value(value: Any, intake: Intake) -> None:
    """A parsed document: a list of studies, a page of the registry with ``studies``, or one study."""
    if isinstance(value, dict) and "studies" in value and "protocolSection" not in value:
        value = value["studies"]
        if not isinstance(value, list):
            intake.refuse("not_a_study", f"studies is {kind_of(value)}, not a list")
            return
    if isinstance(value, list):
        for each in value:
            intake.take_study(each)
    else:
        intake.take_study(value)


def require_utf8(content: bytes, where: str, line: int) -> None:
    """Raises InvalidSource, naming the line, when ``content``, which begins on ``line``, is not UTF-8."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line += content.count(b"\n", 0, error.start)
        raise InvalidSource(f"{where} is not UTF-8, line {line}; convert it, for example with iconv") from None


def _first_line(stream: BinaryIO) -> tuple[int, bytes]:
    for number, line in enumerate(stream, 1):
        line = line.removeprefix(BOM) if number == 1 else line
        if line.strip():
            return number, line
    return 1, b""


def _take_lines(stream: BinaryIO, before: int, where: str, intake: Intake) -> None:
    """The lines left in ``stream``, of which ``before`` have been read."""
    for number, line in enumerate(stream, before + 1):
        line = (line.removeprefix(BOM) if number == 1 else line).strip()
        if not line:
            continue
        try:
            value = from_json(line, cache_strings="keys")
        except ValueError as error:
            require_utf8(line, where, number)
            intake.refuse("not_a_study", f"broken JSON: {_problem(error, number)}")
        else:
            take_value(value, intake)


def _is_lines(first: bytes, rest: bytes) -> bool:
    """Whether a file that is no JSON as a whole, nor in its first line, is JSON lines with a broken first one: a line
    of its own parses to an object, and the first line does not end as one of a broken longer document would."""
    if first.rstrip()[-1:] in b"[{,:":
        return False
    for line in rest.split(b"\n", _LINES_TRIED)[:_LINES_TRIED]:
        try:
            value = from_json(line)
        except ValueError:
            continue
        if isinstance(value, dict) and value:
            return True
    return False


def _problem(error: ValueError, first_line: int) -> str:
    """The parser's message with the line of the file instead of the line of what was parsed."""
    what, _, place = str(error).rpartition(" at line ")
    line, _, column = place.partition(" column ")
    if not what or not line.isdigit():
        return str(error)
    return f"{what}, line {first_line + int(line) - 1}, column {column}"
