"""What tests share: a project of the tiny family, and reading back what runs left."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob

from dataset_project.orchestration.build import Builder, BuildOptions, BuildResult
from dataset_project.orchestration.dataset import PartitionedDataset
from dataset_project.storage.store import DatasetStore
from dataset_project_tests.orchestration.tiny_family import tiny_datasets

TINY_DEFINITIONS = "dataset_project_tests.orchestration.tiny_definitions"
ROOT = Path(__file__).parent.parent


class TinyProject:
    """The tiny family under a directory: ``data/``, the Dagster home, and the trigger files."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        self.environment = {
            "DATASET_DATA_DIR": str(directory / "data"),
            "TINY_TRIGGERS": str(directory),
            "DAGSTER_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
        }
        self.store = DatasetStore(directory / "data")

    def trigger(self, word: str, dataset: str, key: str, text: str = "") -> Path:
        """Tell a compute function to misbehave; unlink the returned file to stop it."""
        path = self.directory / f"{word}-{dataset}-{key}"
        path.write_text(text)
        return path

    def computed(self) -> Counter[str]:
        """How often each ``<dataset>/<key>`` was computed."""
        log = self.directory / "computed.log"
        return Counter(log.read_text().split()) if log.exists() else Counter()

    def datasets(self) -> list[PartitionedDataset]:
        return tiny_datasets(int(os.environ.get("TINY_PARTITIONS", "4")), os.environ.get("TINY_VERSION", "1"))

    def definitions(self) -> dg.Definitions:
        """The code location as the environment says now."""
        module = fresh_module(TINY_DEFINITIONS)
        return module.defs

    def build(self, *names: str, keys: set[str] | None = None, **options) -> BuildResult:
        """Build in this process with the in-process executor."""
        fresh_module(TINY_DEFINITIONS)
        datasets = [dataset for dataset in self.datasets() if not names or dataset.name in names]
        chosen = None if keys is None else frozenset(keys)
        with dg.DagsterInstance.get() as instance:
            builder = Builder(self.store, instance, TINY_DEFINITIONS, BuildOptions("test", chosen, **options))
            return builder.build(datasets, self.datasets())

    def build_in_processes(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Build in a process of its own with the multiprocess executor; its last line of output is JSON."""
        return subprocess.run(
            [sys.executable, "-m", "dataset_project_tests.orchestration.tiny_build", *arguments],
            env={**os.environ, **self.environment, "TINY_EXECUTOR": "multiprocess", **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def events(self, dataset: str) -> list[tuple[str, str | None, dict]]:
        """Every materialisation event of a dataset, oldest first: (run id, partition, plain metadata)."""
        with dg.DagsterInstance.get() as instance:
            records = instance.fetch_materializations(dg.AssetKey([dataset]), limit=10_000, ascending=True).records
        return [
            (
                record.run_id,
                record.partition_key,
                {name: value.value for name, value in record.asset_materialization.metadata.items()},
            )
            for record in records
        ]


def fresh_module(name: str):
    """The module as if imported for the first time, for definitions that read the environment on import."""
    sys.modules.pop(name, None)
    ReconstructableJob.get_definition.cache_clear()
    ReconstructableJob.get_repository_definition.cache_clear()
    return importlib.import_module(name)


def last_json(output: str):
    return json.loads(output.strip().splitlines()[-1])


def file_hashes(directory: Path) -> dict[str, str]:
    """SHA-256 of every data file under a data directory: no records, logs, locks, manifest or catalogue."""
    hashes = {}
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        partition = len(relative.parts) > 2 and relative.parts[1].startswith("partition=")
        if path.is_file() and partition and not path.name.startswith("_"):
            hashes[relative.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashes
