"""Figures of the documents family: ``python -m benchmarks.documents [--quick] [--json PATH]``.

Documents per CPU-second of the whole path (case, template, file, spans, tables as published), of the same with every
file opened again by an independent reader and every value looked up; and the memory of a shard. Peers write the same
text and tables in the same run, in turn with our writers. Imports and the drawing of the pools are not counted.
"""

from __future__ import annotations

import pickle
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Figure, arguments, cpu_seconds, finish, paired_medians, peak_bytes

if TYPE_CHECKING:
    from dataset_project.documents.identities.pools import Pools
    from dataset_project.documents.planning import PlannedDocument

MIX = ("docx", "pdf", "xlsx", "pptx", "eml")
PROBE, BARE, TABLE = "--memory-probe", "--bare-probe", "--table-probe"
PROBED = 300
PLAN = "plan.pickle"


@dataclass(frozen=True)
class Work:
    """Settings, pools and the plan of documents to make."""

    settings: Any
    pools: Pools
    planned: tuple[PlannedDocument, ...]

    def of(self, form: str) -> tuple[PlannedDocument, ...]:
        """Those of one format."""
        return tuple(each for each in self.planned if each.format == form)


@cache
def work(count: int, formats: tuple[str, ...] = MIX) -> Work:
    """``count`` documents of ``formats`` by the family's weights, else default settings. Pools are drawn here."""
    from dataset_project.documents.configuration import DocumentSettings
    from dataset_project.documents.identities.pools import generate
    from dataset_project.documents.planning import DocumentPlanner, Kind
    from dataset_project.documents.templates.registry import TEMPLATES

    weights = DocumentSettings().formats
    settings = DocumentSettings(formats={name: weights[name] for name in formats})
    pools = generate(
        settings.seed,
        settings.reference_date,
        patients=settings.patients,
        providers=settings.providers,
        facilities=settings.facilities,
    )
    kinds = [
        Kind(each.id, str(each.version), each.classes, each.formats, each.layouts, each.companions)
        for each in TEMPLATES.values()
    ]
    planner = DocumentPlanner(settings, kinds, pools.ids("patients"))
    return Work(settings, pools, tuple(planner.plan(number) for number in range(count)))


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for a partition of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-documents-") as directory:
        yield Path(directory)


def generate(given: Work, planned: Sequence[PlannedDocument], directory: Path) -> None:
    """A partition as it is published: files, documents, spans. Raises RuntimeError for a document that failed."""
    import pyarrow.parquet as pq

    from dataset_project.documents.generation import generate_batch

    settings = given.settings
    made = generate_batch(planned, given.pools, settings.seed, settings.reference_date, directory)
    if made.failures:
        raise RuntimeError(f"documents failed: {dict(list(made.failures.items())[:3])}")
    pq.write_table(made.documents, directory / "documents.parquet")
    pq.write_table(made.spans, directory / "spans.parquet")


def verify(directory: Path) -> None:
    """Every file by its independent reader, every value at its place. Raises RuntimeError for what is not there."""
    from dataset_project.documents.validation.place_rules import spans_are_found

    finding = spans_are_found({name: directory / f"{name}.parquet" for name in ("documents", "spans")}, directory)
    if not finding.passed:
        raise RuntimeError(f"verification: {finding}")


def speed(quick: bool) -> list[Figure]:
    """The two targets, and each format by itself."""
    rounds, per_round = (3, 100) if quick else (7, 200)
    given = work((rounds + 1) * per_round)
    making, checking = [], []
    for number in range(rounds + 1):
        planned = given.planned[number * per_round : (number + 1) * per_round]
        with scratch() as directory:
            first = cpu_seconds(lambda planned=planned, directory=directory: generate(given, planned, directory))
            second = cpu_seconds(lambda directory=directory: verify(directory))
        if number:  # the first round imports and reads what is shipped
            making.append(per_round / first)
            checking.append(per_round / (first + second))
    figures = [
        Figure("documents_per_cpu_s", statistics.median(making), "documents/CPU-s", 300),
        Figure("verified_documents_per_cpu_s", statistics.median(checking), "documents/CPU-s", 100),
    ]
    for form in MIX:
        figures += _of_format(given, form, 25 if quick else 80, 3 if quick else 5)
    return figures


def _of_format(given: Work, form: str, most: int, rounds: int) -> list[Figure]:
    """One format: the whole path, the whole path verified, and our writer against a peer's on the same documents."""
    from benchmarks.documents_peers import NAMES, WRITERS
    from dataset_project.documents.formats.registry import format_named
    from dataset_project.documents.generation import make

    planned = given.of(form)[:most]
    making, checking = [], []
    for _ in range(rounds):
        with scratch() as directory:
            making.append(cpu_seconds(lambda directory=directory: generate(given, planned, directory)))
            checking.append(cpu_seconds(lambda directory=directory: verify(directory)))
    count, whole, checked = len(planned), statistics.median(making), statistics.median(checking)
    settings = given.settings
    made = [make(each, given.pools, settings.seed, settings.reference_date) for each in planned]
    write, peer = format_named(form).write, WRITERS[form]
    peer(made[0].document)  # imports

    def ours() -> None:
        for each in made:
            write(each.document, each.planned.doc_id)

    def theirs() -> None:
        for each in made:
            peer(each.document)

    own, other = paired_medians(ours, theirs, rounds)
    name = NAMES[form]
    return [
        Figure(f"{form}_documents_per_cpu_s", count / whole, "documents/CPU-s"),
        Figure(f"{form}_verified_documents_per_cpu_s", count / (whole + checked), "documents/CPU-s"),
        Figure(f"{form}_written_per_cpu_s", count / own, "documents/CPU-s", peer=name, ratio=other / own),
        Figure(f"{form}_written_by_peer_per_cpu_s", count / other, "documents/CPU-s", peer=name),
    ]


def memory(quick: bool) -> list[Figure]:
    """Peak of a process that makes 300 documents of all formats, beyond one that has imported numpy, pyarrow and the
    family's settings; and, for information, beyond one that has also written a table, for which pyarrow loads pandas.

    As a shard does, it reads pools that another process has drawn.
    """
    del quick  # the peak is reached with the first batches; there is nothing to shorten
    import pyarrow.parquet as pq

    from dataset_project.documents.configuration import FORMATS
    from dataset_project.documents.identities.pools import SCHEMAS

    given = work(PROBED, FORMATS)
    with scratch() as directory:
        for name in SCHEMAS:
            pq.write_table(getattr(given.pools, name), directory / f"{name}.parquet")
        (directory / PLAN).write_bytes(pickle.dumps(given.planned))
        bare, table, shard = (_probe(name, directory) for name in (BARE, TABLE, PROBE))
    return [
        Figure("peak_shard_extra_mb", (shard - bare) / 1e6, "MB", 100, "at_most"),
        Figure("peak_shard_beyond_a_table_mb", (shard - table) / 1e6, "MB"),
        Figure("peak_shard_mb", shard / 1e6, "MB"),
    ]


def _probe(name: str, directory: Path) -> int:
    """Peak bytes of this module run as a process of its own."""
    command = [sys.executable, "-m", "benchmarks.documents", name, str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr.strip()[-2000:]}")
    return int(done.stdout)


def probe(name: str, directory: Path) -> int:
    """What a measured process does with the pools and the plan in ``directory``; its peak in bytes."""
    import numpy  # noqa: F401
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dataset_project.documents.configuration import DocumentSettings

    if name == TABLE:
        pq.write_table(pa.table({"a": [1]}), directory / "table.parquet")
    if name == PROBE:
        from dataset_project.documents.identities.pools import SCHEMAS, Pools

        pools = Pools(**{each: pq.read_table(directory / f"{each}.parquet") for each in SCHEMAS})
        given = Work(DocumentSettings(), pools, pickle.loads((directory / PLAN).read_bytes()))
        size = given.settings.documents_per_batch
        for first in range(0, len(given.planned), size):
            generate(given, given.planned[first : first + size], directory / str(first))
    return peak_bytes()


PARTS = (speed, memory)


def main(argv: Sequence[str] | None = None) -> int:
    given = sys.argv[1:] if argv is None else list(argv)
    if given and given[0] in (PROBE, BARE, TABLE):
        print(probe(given[0], Path(given[1])))
        return 0
    options = arguments(__doc__.splitlines()[0], argv)
    figures = []
    for part in PARTS:
        print(f"{part.__name__} …", file=sys.stderr, flush=True)
        figures += part(options.quick)
    return finish("Documents", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
