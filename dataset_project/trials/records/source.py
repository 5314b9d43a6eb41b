"""The one door: a source by its name (nothing for the shipped sample, the registry, or a path) → what was read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from dataset_project.storage.fingerprints import canonical_hash
from dataset_project.trials.configuration import REGISTRY_SOURCE
from dataset_project.trials.records.columns import require_fields
from dataset_project.trials.records.errors import InvalidSource
from dataset_project.trials.records.files import read_file
from dataset_project.trials.records.intake import Intake, OnProgress, RecordsRead
from dataset_project.trials.records.registry import read_registry

SAMPLE = "sample.jsonl.gz"
SAMPLE_PARTS = "sample"
BIG_BYTES = 64 * 2**20


def read_source(
    source: str | None,
    *,
    columns: Mapping[str, str],
    api_url: str,
    query: str | None = None,
    page_size: int = 1000,
    max_trials: int | None = None,
    on_progress: OnProgress | None = None,
) -> RecordsRead:
    """All trials and rejects of a source: None for the shipped sample, ``clinicaltrials.gov`` for the registry, else a
    file. ``columns`` (our field → column) matters for tables; ``api_url``, ``query``, ``page_size`` and
    ``max_trials`` for the registry, a file is read whole.

    Raises InvalidSource (RegistryFailed) as `read_file` and `read_registry` do.
    """
    require_fields(columns)
    if source == REGISTRY_SOURCE:
        return read_registry(api_url, query, page_size=page_size, max_trials=max_trials, on_progress=on_progress)
    intake = Intake(on_progress)
    if source is None:
        for path in _sample():
            read_file(path, {}, intake, f"the shipped sample ({path.name})")
    else:
        read_file(Path(source).expanduser(), columns, intake)
    if on_progress is not None:
        on_progress(intake.records, intake.records)
    return intake.result()


def source_hash(source: str | None, *, api_url: str, query: str | None = None) -> str:
    """SHA-256 of the file's bytes (of a sample in several files: of their hashes); of nothing when it cannot be read,
    which reading it will say.

    For the registry of address and query: the registry changes daily, but what was once read stays current until it is
    asked for anew.
    """
    if source == REGISTRY_SOURCE:
        return canonical_hash({"api_url": api_url.rstrip("/"), "query": query})
    try:
        hashes = [_file_hash(path) for path in (_sample() if source is None else [Path(source).expanduser()])]
    except (OSError, InvalidSource):
        return hashlib.sha256(b"").hexdigest()
    return hashes[0] if len(hashes) == 1 else canonical_hash(hashes)


def _file_hash(path: Path) -> str:
    state = os.stat(path)
    if state.st_size < BIG_BYTES:
        return _hash_of.__wrapped__(path)
    return _hash_of(path, state.st_ino, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash_of(path: Path, *_state: int) -> str:
    """A process may load definitions many times: a big file that has not changed is hashed once. Small ones are hashed
    every time, they could be written anew within one tick of the file system's clock."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sample() -> list[Path]:
    """The shipped sample's files: the assembled one, or where it has not been assembled its parts."""
    resources = Path(str(files("dataset_project.trials").joinpath("resources")))
    if (whole := resources / SAMPLE).is_file():
        return [whole]
    if parts := sorted((resources / SAMPLE_PARTS).glob("*.jsonl")):
        return parts
    raise InvalidSource("the shipped sample is missing; install the project again, or set a source")
