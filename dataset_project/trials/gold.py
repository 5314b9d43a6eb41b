"""Known categories to measure agreement with: the shipped sample's, or a CSV of the user's."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.schemes.scheme import Scheme

COLUMNS = ("nct_id", "scheme", "categories")
_GOLD_SUFFIX = "_gold.csv"
_NCT_ID = re.compile(r"NCT[0-9]{8}")


class InvalidGold(ValueError):
    """A gold file that cannot be used: which line, and what is wrong with it."""


def gold_bytes(settings: TrialSettings) -> bytes:
    """The CSV, or nothing where there is none. Raises InvalidGold when it cannot be read."""
    if settings.gold is not None:
        try:
            return Path(settings.gold).read_bytes()
        except OSError as error:
            raise InvalidGold(
                f"gold: {settings.gold} cannot be read: {error.strerror or error}; correct DATASET_TRIALS__GOLD"
            ) from None
    return _sample_gold() if settings.source is None else b""


def _sample_gold() -> bytes:
    """The sample's gold files as one CSV."""
    folder = files("dataset_project.trials").joinpath("resources", "sample")
    texts = [each.read_bytes() for each in sorted(folder.iterdir(), key=str) if each.name.endswith(_GOLD_SUFFIX)]
    header, *_ = texts[0].splitlines(keepends=True)
    return header + b"".join(line for text in texts for line in text.splitlines(keepends=True)[1:])


def gold_hash(settings: TrialSettings) -> str:
    """SHA-256 of the CSV, of nothing where there is none; of the error when it cannot be read, so that a wrong path is
    not taken for no gold: the report is made anew, and reading the file says what is wrong."""
    try:
        return hashlib.sha256(gold_bytes(settings)).hexdigest()
    except InvalidGold as error:
        return hashlib.sha256(f"unreadable: {error}".encode()).hexdigest()


def read_gold(settings: TrialSettings, scheme: Scheme) -> Mapping[str, tuple[str, ...]]:
    """Trial → its gold categories (several where more than one is right), of this scheme, by id.

    The CSV has the columns nct_id, scheme and categories (``|`` between several). Raises InvalidGold for another
    header, an id that is none, a category the scheme does not have, a trial that is named twice, and a file of the
    user's without any trial of this scheme.
    """
    where = settings.gold or "the sample's gold"
    try:
        text = gold_bytes(settings).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidGold(f"{where} is not UTF-8: byte {error.start}") from None
    if not text.strip():
        return {}
    rows = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise InvalidGold(f"{where}: no column {', '.join(missing)}; it has {', '.join(rows.fieldnames or ())}")
    known = {category.id for category in scheme.categories}
    found: dict[str, tuple[str, ...]] = {}
    others: set[str] = set()
    for row in rows:
        named = (row["scheme"] or "").strip()
        if named != scheme.id:
            others.add(named)
            continue
        nct_id = (row["nct_id"] or "").strip().upper()
        if not _NCT_ID.fullmatch(nct_id):
            raise InvalidGold(f"{where}, line {rows.line_num}: {nct_id[:64]!r} is not NCT and eight digits")
        listed = (each.strip() for each in (row["categories"] or "").split("|"))
        categories = tuple(dict.fromkeys(each for each in listed if each))
        wrong = [each for each in categories if each not in known]
        if wrong or not categories:
            said = f"{wrong[0]!r} is no category of {scheme.id}" if wrong else "no category"
            raise InvalidGold(f"{where}, line {rows.line_num}: {said}; it has {', '.join(sorted(known))}")
        if nct_id in found:
            raise InvalidGold(f"{where}, line {rows.line_num}: {nct_id} is named twice for {scheme.id}")
        found[nct_id] = categories
    if not found and settings.gold is not None:
        has = f"its schemes are {', '.join(sorted(map(repr, others)))}" if others else "it has no rows"
        raise InvalidGold(
            f"{where} names no trial of the scheme {scheme.id}: {has}; correct or unset DATASET_TRIALS__GOLD"
        )
    return dict(sorted(found.items()))
