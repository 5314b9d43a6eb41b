"""Finding values of the identity pools in a text, to prove that a document without PHI has none.

Names count as given and family name next to each other, in either order, with an initial or middle name between, or a
family name after a title. Numbers count in every surface of `surfaces` that has all their digits. Candidates are looked
up by hashes of joined tokens, then compared with the row itself, so a find is never a chance of the hash. Dates, places
in words and ZIP codes are everybody's, hence no evidence, and are not looked for; shapes of identifiers belong
to `patterns`.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from dataset_project.documents.identities.pools import Pools
from dataset_project.documents.identities.surfaces import NUMBERS, ON_REQUEST, PHONES, STREET_SHORT, STYLES

Subject = Literal["patient", "relative", "provider", "employee", "facility"]
PEOPLE: tuple[Subject, ...] = ("patient", "relative", "provider", "employee")
"""Who must not be found in a negative; facilities may be named in one."""

_NUMBERS: dict[Subject, tuple[str, dict[str, str]]] = {
    "patient": (
        "patients",
        {
            **{name: name for name in ("ssn", "mrn", "mbi", "member_id", "account", "driver_licence", "vin", "plate")},
            **{name: name for name in ("device_serial", "device_udi", "username", "biometric", "trial_subject")},
            **{"rx_number": "rx_number", "other_mrn": "mrn"},
            **dict.fromkeys(("home_phone", "mobile_phone", "fax"), "phone"),
        },
    ),
    "relative": ("patients", {"relative_phone": "phone"}),
    "provider": (
        "providers",
        {
            "npi": "npi",
            "dea": "dea",
            "licence": "medical_licence",
            "username": "username",
            "phone": "phone",
            "fax": "fax",
        },
    ),
    "employee": (
        "employees",
        {name: name for name in ("ssn", "employee_number", "bank_account", "username", "phone")},
    ),
    "facility": ("facilities", {"npi": "npi", "phone": "phone", "fax": "fax"}),
}
_NETWORK: dict[Subject, tuple[str, ...]] = {
    "patient": ("email", "url", "ip", "photo"),
    "relative": ("relative_email",),
    "provider": ("email",),
    "employee": ("email",),
    "facility": ("email", "url"),
}
_NAMES: dict[Subject, tuple[str, str, str]] = {
    "patient": ("patients", "given", "family"),
    "relative": ("patients", "relative_given", "relative_family"),
    "provider": ("providers", "given", "family"),
    "employee": ("employees", "given", "family"),
}

TOKEN = re.compile(r"[A-Za-z0-9]+")
CAPITAL = re.compile(r"\b[A-Z][A-Za-z]*(?:['’-][A-Za-z]+)*")
NETWORK = tuple(
    (needs, re.compile(pattern))
    for needs, pattern in (
        ("@", r"[\w.%+-]+@[\w.-]+\w"),
        (".", r"(?<![\w.@-])(?:https?://)?[\w-]+(?:\.[\w-]+)*\.(?:example|org|com|net)\b(?:/[\w~./-]*)?"),
        (".", r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"),
        (":", r"\b2001:[0-9a-fA-F:]+[0-9a-fA-F]\b"),
        ("_", r"\b[A-Za-z]+_\d{8}\.(?:jpg|png)"),
    )
)
TITLED = re.compile(r"\b(Mr|Mrs|Ms|Miss|Dr|MR|MRS|MS|DR)\.? ([A-Z][A-Za-z]*(?:['’-][A-Za-z]+)*(?: [A-Z][A-Za-z]+)?)")
NAME_GAP = frozenset((" ", ", ", ",", ". ", ".", "\t", "\n", "  "))
GLUED = ("MRN", "RX")
SHORTEST, LONGEST, MOST_TOKENS = 6, 32, 7
"""Characters of a joined number, and the tokens it is joined from."""


@dataclass(frozen=True)
class Hit:
    """A value of the pools, or a shape of one, in a text: half-open code points."""

    kind: str
    text: str
    start: int
    end: int
    subject_id: str = ""


Candidate = tuple[int, str, int, int]
"""Hash, key, start, end."""


def _hash(key: str) -> int:
    # A checksum is the same in every process, unlike hash(); what shares one is told apart by comparing.
    return zlib.crc32(key.encode())


def _joined(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isalnum()).upper()


class Scanner:
    """Looks for everyone of the pools, or only for some ``subjects``. Built once, used for many texts."""

    def __init__(self, pools: Pools, subjects: tuple[Subject, ...] = PEOPLE) -> None:
        if (unknown := sorted(set(subjects) - set(_NUMBERS))) or not subjects:
            raise ValueError(f"a scanner looks for some of {', '.join(_NUMBERS)}, not {', '.join(unknown) or 'no one'}")
        self._columns: list[tuple[str, Subject, tuple[pa.Array, ...], pa.Array]] = []
        self._families: set[str] = set()
        hashes, places = [], []
        for subject, kind, columns, ids, keys in self._sources(pools, subjects):
            rows = [(row, _hash(key)) for row, key in keys]
            table = np.array(rows, dtype=np.int64).reshape(-1, 2)
            places.append(table[:, 0] | len(self._columns) << 32)
            hashes.append(table[:, 1].astype(np.uint32))
            self._columns.append((kind, subject, columns, ids))
        known, where = np.concatenate(hashes), np.concatenate(places)
        order = np.argsort(known, kind="stable")
        self._hashes, self._places = known[order], where[order]
        # One look into a table of bytes, sixteen or more a key, rules out nearly every candidate.
        self._mask = (1 << min(len(known).bit_length() + 4, 30)) - 1
        passes = np.zeros(self._mask + 1, dtype=np.uint8)
        passes[known & np.uint32(self._mask)] = 1
        self._filter = passes.tobytes()
        # Middle names, and the words before the last one of a family name, may stand within a name.
        named = [subject for subject in subjects if subject in _NAMES]
        self._given = {name.casefold() for subject in named for name in _given(pools, subject)}
        self._within = self._given | {word for name in self._families for word in name.split()[:-1]}
        self._last = {name.split()[-1] for name in self._families}

    def scan(self, text: str) -> list[Hit]:
        """Every find, in order of the text. Empty for a clean text."""
        found = [*self._titled(text)]
        for make in (self._numbers, self._network, self._names):
            for candidate in make(text):
                if self._filter[candidate[0] & self._mask]:
                    found += self._confirmed(text, candidate)
        return sorted(dict.fromkeys(found), key=lambda hit: (hit.start, hit.end, hit.kind, hit.subject_id))

    def _confirmed(self, text: str, candidate: Candidate) -> Iterator[Hit]:
        code, key, start, end = candidate
        surface = text[start:end]
        sought = np.uint32(code)
        first, last = (int(np.searchsorted(self._hashes, sought, side=side)) for side in ("left", "right"))
        for at in range(first, last):
            number, row = divmod(int(self._places[at]), 1 << 32)
            kind, subject, columns, ids = self._columns[number]
            cells = [column[row].as_py() for column in columns]
            if _is_written(kind, cells, surface, key):
                yield Hit(kind, surface, start, end, ids[row].as_py() + ("-R" if subject == "relative" else ""))

    def _sources(
        self, pools: Pools, subjects: tuple[Subject, ...]
    ) -> Iterator[tuple[Subject, str, tuple[pa.Array, ...], pa.Array, list[tuple[int, str]]]]:
        for subject in subjects:
            table, columns = _NUMBERS[subject]
            rows: pa.Table = getattr(pools, table)
            ids = rows["id"].combine_chunks()
            for name, kind in columns.items():
                cells = rows[name].combine_chunks()
                texts = [(row, "#" + _joined(cell)) for row, cell in enumerate(cells.to_pylist()) if cell]
                yield subject, kind, (cells,), ids, [(row, key) for row, key in texts if len(key) > SHORTEST]
            for name in _NETWORK[subject]:
                cells = rows[name].combine_chunks()
                texts = [(row, "@" + _address(cell)) for row, cell in enumerate(cells.to_pylist())]
                yield subject, name.removeprefix("relative_"), (cells,), ids, texts
            if subject in ("patient", "employee"):
                cells = rows["street"].combine_chunks()
                texts = [
                    (row, "#" + _joined(each)) for row, cell in enumerate(cells.to_pylist()) for each in _roads(cell)
                ]
                yield subject, "street", (cells,), ids, texts
            if subject in _NAMES:
                _, given, family = _NAMES[subject]
                both = rows[given].combine_chunks(), rows[family].combine_chunks()
                pairs = list(zip(*(column.to_pylist() for column in both), strict=True))
                self._families.update(each.casefold() for _, each in pairs)
                yield subject, f"{subject}_name", both, ids, [(row, _pair(*each)) for row, each in enumerate(pairs)]

    def _numbers(self, text: str) -> Iterator[Candidate]:
        tokens = [(found.start(), found.end(), found[0]) for found in TOKEN.finditer(text)]
        for number, (start, _, token) in enumerate(tokens):
            # A number begins with a token that has a digit, or with a few capitals: WDL 123456789.
            if token.isalpha() and not (len(token) <= 4 and token.isupper()):
                continue
            for glued in GLUED:
                if token[: len(glued)].upper() == glued and len(token) > len(glued):
                    yield from self._runs(text, tokens, number, start + len(glued))
            yield from self._runs(text, tokens, number, start)

    @staticmethod
    def _runs(text: str, tokens: list[tuple[int, int, str]], number: int, start: int) -> Iterator[Candidate]:
        """The tokens from ``number`` on, joined to one, two, three … as long as only punctuation parts them."""
        key, last = "#", start
        for begin, end, token in tokens[number : number + MOST_TOKENS]:
            if begin > start and (begin - last > 2 or token.islower() or "\n" in text[last:begin]):
                return
            key += token[max(start - begin, 0) :].upper()
            last = end
            if len(key) > LONGEST:
                return
            if len(key) > SHORTEST:
                # An opening bracket belongs to the number: (212) 555-0123.
                yield _hash(key), key, start - (start > 0 and text[start - 1] == "("), end

    @staticmethod
    def _network(text: str) -> Iterator[Candidate]:
        for needs, pattern in NETWORK:
            if needs in text:
                for found in pattern.finditer(text):
                    key = "@" + _address(found[0])
                    yield _hash(key), key, found.start(), found.end()

    def _names(self, text: str) -> Iterator[Candidate]:
        words = [(_folded(found[0]), found.start(), found.end()) for found in CAPITAL.finditer(text)]
        for number, (word, start, stop) in enumerate(words):
            given, family = word in self._given, word in self._last
            if not given and not family and word not in self._within:
                continue
            last = stop
            # Up to three words may stand within: middle names or initials, and the first words of a family name.
            for other, begin, end in words[number + 1 : number + 5]:
                if text[last:begin] not in NAME_GAP:
                    break
                last = end
                if given and other in self._last:
                    key = f"&{word}|{other}"
                    yield _hash(key), key, start, end
                if family and other in self._given:
                    key = f"&{other}|{word}"
                    yield _hash(key), key, start, end
                if len(other) > 1 and other not in self._within:
                    break

    def _titled(self, text: str) -> Iterator[Hit]:
        for found in TITLED.finditer(text):
            words = _folded(found[2]).split()
            if words[0] in self._families or " ".join(words) in self._families:
                yield Hit("titled_name", found[0], found.start(), found.end())


def _given(pools: Pools, subject: Subject) -> list[str]:
    table, given, _ = _NAMES[subject]
    names = [getattr(pools, table)[column].unique().to_pylist() for column in (given, "middle")]
    return [name for name in names[0] + names[1] if name]


def _folded(name: str) -> str:
    return name.casefold().replace("’", "'")


def _pair(given: str, family: str) -> str:
    return f"&{given.casefold()}|{family.casefold().split()[-1]}"


def _address(text: str) -> str:
    return text.lower().removeprefix("https://").removeprefix("http://").rstrip("/.")


def _roads(street: str) -> tuple[str, ...]:
    road, kind = street.rsplit(" ", 1)
    return (street, f"{road} {STREET_SHORT[kind]}") if kind in STREET_SHORT else (street,)


def _is_written(kind: str, cells: list[str], surface: str, key: str) -> bool:
    """Whether a surface is one of this value's, and not another text with the same letters and digits, or hash."""
    if kind.endswith("_name"):
        return _pair(*cells) == key
    if key[0] == "@":
        return _address(cells[0]) == _address(surface)
    if kind == "street":
        return re.sub(r"[ ,.]+", " ", surface).upper().strip(" (") in {each.upper() for each in _roads(cells[0])}
    styles = PHONES if kind in ("phone", "fax") else NUMBERS.get(kind, STYLES[kind])
    written = {write(cells[0]).upper() for name, write in styles.items() if name not in ON_REQUEST}
    upper = surface.upper()
    return upper in written or upper.lstrip("(") in written or any(prefix + upper in written for prefix in GLUED)


@functools.lru_cache(maxsize=2)
def scanner_of(pools: Pools) -> Scanner:
    """The scanner for everyone of the pools, built once per process."""
    return Scanner(pools)
