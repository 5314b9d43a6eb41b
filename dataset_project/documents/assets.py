"""The family's door: identity_pools → document_plan [batch] → phi_documents [batch] → documents_report.

Partitions, configuration and what each dataset computes; how it is computed stands in the folders beside this module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from dataset_project.documents import checks, schemas
from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.identities.pools import SCHEMAS, Pools, generate
from dataset_project.documents.planning import DocumentPlanner, Kind, PlannedDocument, doc_id_of
from dataset_project.orchestration.dataset import Outcome, PartitionedDataset, Upstream
from dataset_project.orchestration.work import PartitionInputs, PartitionWork

FAMILY = "documents"
DOCUMENTS_BY_SIZE = {"demo": 200, "standard": 1_000, "full": 10_000}


@dataclass(frozen=True)
class _Batches:
    """Which documents each partition holds."""

    documents: int
    per_batch: int

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(f"batch_{number:04d}" for number in range(-(-self.documents // self.per_batch)))

    def numbers(self, key: str) -> range:
        first = int(key.removeprefix("batch_")) * self.per_batch
        return range(first, min(first + self.per_batch, self.documents))


def document_datasets(settings: DocumentSettings, size: str) -> list[PartitionedDataset]:
    """The family's datasets, upstream first. Raises ValueError for formats and templates that make no sense."""
    batches = _Batches(settings.documents or DOCUMENTS_BY_SIZE[size], settings.documents_per_batch)
    common = {"family": FAMILY, "master_seed": settings.seed}
    by_batch = common | {"partition_keys": batches.keys}
    day = settings.reference_date.isoformat()
    pools = PartitionedDataset(
        name="identity_pools",
        description="Fictional patients, providers, facilities and employees whom documents are about.",
        code_version="1",
        compute=partial(_pools, settings),
        schemas=SCHEMAS,
        configuration={
            "patients": settings.patients,
            "providers": settings.providers,
            "facilities": settings.facilities,
            "reference_date": day,
        },
        validators=checks.pool_validators(settings),
        **common,
    )
    plan = PartitionedDataset(
        name="document_plan",
        description="What every document will be: class, format, template, layout, patient, split.",
        code_version="1",
        compute=partial(_plan, settings, batches),
        schemas={"data": schemas.DOCUMENT_PLAN},
        configuration={
            "shares": [settings.positives, settings.pii_only, settings.mixed],
            "formats": dict(sorted(settings.formats.items())),
            "templates": dict(sorted(settings.templates.items())),
            "per_batch": settings.documents_per_batch,
        },
        key_configuration=lambda key: {"documents": len(batches.numbers(key))},
        upstreams=(Upstream(pools, "all"),),
        **by_batch,
    )
    documents = PartitionedDataset(
        name="phi_documents",
        description="Office documents with and without PHI; every planted identifier known by place.",
        code_version="1",
        compute=partial(_documents, settings),
        schemas={"documents": schemas.DOCUMENTS, "spans": schemas.SPANS},
        configuration={"reference_date": day},
        upstreams=(Upstream(pools, "all"), Upstream(plan)),
        validators=checks.document_validators(settings),
        kinds=("parquet", "docx", "pdf", "xlsx", "pptx", "eml"),
        **by_batch,
    )
    return [pools, plan, documents]


def _pools(settings: DocumentSettings, work: PartitionWork) -> Outcome:
    made = generate(
        work.master_seed,
        settings.reference_date,
        patients=settings.patients,
        providers=settings.providers,
        facilities=settings.facilities,
    )
    rows = 0
    for name in SCHEMAS:
        table: pa.Table = getattr(made, name)
        work.write(table, name)
        rows += table.num_rows
    return Outcome(items_planned=rows, items_ok=rows)


# Read-only inputs that the batches of one process share, by their content.
_shared: dict[str, tuple[str, Any]] = {}


def _share(work: PartitionInputs, name: str, make_it: Callable[[], Any]) -> Any:
    content = work.content("identity_pools", "all")
    found = _shared.get(name)
    if found is None or found[0] != content:
        found = _shared[name] = (content, make_it())
    return found[1]


def _read_pools(work: PartitionInputs) -> Pools:
    return Pools(**{name: work.read("identity_pools", "all", table=name) for name in SCHEMAS})


def kinds() -> list[Kind]:
    """Every template as the plan knows it."""
    from dataset_project.documents.templates.registry import TEMPLATES

    return [
        Kind(each.id, str(each.version), each.classes, each.formats, each.layouts, each.companions)
        for each in TEMPLATES.values()
    ]


def _plan(settings: DocumentSettings, batches: _Batches, work: PartitionWork) -> Outcome:
    def planner() -> DocumentPlanner:
        patients = work.read("identity_pools", "all", table="patients", columns=["id"])["id"].to_pylist()
        return DocumentPlanner(settings, kinds(), patients)

    ready = _share(work, f"planner {work.config_hash}", planner)
    planned = [ready.plan(number) for number in batches.numbers(work.key)]
    work.write(
        pa.Table.from_pylist(
            [
                {
                    "doc_id": each.doc_id,
                    "number": each.number,
                    "batch": work.key,
                    "class": each.document_class,
                    "format": each.format,
                    "template_id": each.template_id,
                    "template_version": each.template_version,
                    "layout_id": each.layout_id,
                    "difficulty": each.difficulty,
                    "split": each.split,
                    "patient_id": each.patient_id,
                    "companion_ids": list(each.companion_ids),
                    "llm": each.llm,
                }
                for each in planned
            ],
            schema=schemas.DOCUMENT_PLAN,
        )
    )
    return Outcome(items_planned=len(planned), items_ok=len(planned))


def planned_documents(table: pa.Table) -> list[PlannedDocument]:
    """Rows of DOCUMENT_PLAN as the plan made them."""
    return [
        PlannedDocument(
            number=row["number"],
            doc_id=doc_id_of(row["number"]),
            document_class=row["class"],
            format=row["format"],
            template_id=row["template_id"],
            template_version=row["template_version"],
            layout_id=row["layout_id"],
            difficulty=row["difficulty"],
            split=row["split"],
            patient_id=row["patient_id"],
            companion_ids=tuple(row["companion_ids"]),
            llm=row["llm"],
        )
        for row in table.to_pylist()
    ]


def _documents(settings: DocumentSettings, work: PartitionWork) -> Outcome:
    from dataset_project.documents.generation import generate_batch

    pools = _share(work, "pools", lambda: _read_pools(work))
    planned = planned_documents(work.read("document_plan"))
    made = generate_batch(planned, pools, work.master_seed, settings.reference_date, work.directory)
    work.write(made.documents, "documents")
    work.write(made.spans, "spans")
    for doc_id, reason in made.failures.items():
        work.log.error("%s failed: %s", doc_id, reason)
    first = next(iter(made.failures.items()), None)
    return Outcome(
        items_planned=len(planned),
        items_ok=len(planned) - len(made.failures),
        items_failed=len(made.failures),
        reason=f"{first[0]}: {first[1]}" if first else "",
        facts=_facts(planned, made.spans),
    )


def _facts(planned: list[PlannedDocument], spans: pa.Table) -> dict[str, int]:
    """Counts of a batch as facts, so that the UI plots them."""
    counts = {f"format_{name}": count for name, count in Counter(each.format for each in planned).items()}
    counts |= {f"class_{name}": count for name, count in Counter(each.document_class for each in planned).items()}
    surfaces = Counter(spans["surface"].to_pylist())
    counts |= {f"spans_{name}": count for name, count in surfaces.items()}
    return dict(sorted(counts.items())) | {"spans": spans.num_rows}
