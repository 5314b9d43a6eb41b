"""What a command needs before it starts: the environment file, the Dagster instance's home, valid settings.

Bare ``dagster`` commands read ``.env`` from the working directory; writing DAGSTER_HOME there makes them use the same
instance as this command, instead of an ephemeral one that records nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from dataset_project.orchestration.dataset import PartitionedDataset
    from dataset_project.settings import Settings
    from dataset_project.storage.store import DatasetStore

ENVIRONMENT_FILE = ".env"
DEFAULT_HOME = ".dagster"
DEFINITIONS = "dataset_project.definitions"


@dataclass(frozen=True)
class Project:
    """The loaded project: its settings, store and declared datasets."""

    settings: Settings
    store: DatasetStore
    datasets: Sequence[PartitionedDataset]


def load_project(overrides: dict[str, str]) -> Project:
    """Settings and datasets, with ``overrides`` put into the environment first, where every process will see them.

    Raises click.ClickException, one line, for settings that make no sense.
    """
    from dotenv import load_dotenv

    load_dotenv(ENVIRONMENT_FILE)
    os.environ.update(overrides)
    from dataset_project.families import declared_datasets
    from dataset_project.settings import load_settings
    from dataset_project.storage.store import DatasetStore

    try:
        settings = load_settings()
        return Project(settings, DatasetStore(settings.data_dir), declared_datasets(settings))
    except ValueError as error:  # settings, or a registry, a mode or a method that cannot be planned
        raise click.ClickException(str(error)) from None
    except ImportError as error:
        raise click.ClickException(f"DATASET_DATA_DIR: this kind of URL needs another package: {error}") from None


def require_writable(store: DatasetStore) -> None:
    """Raises click.ClickException when the data directory cannot be written."""
    try:
        store.make_writable()
    except OSError as error:
        raise click.ClickException(
            f"DATASET_DATA_DIR: {store.location} cannot be written: {error.strerror or error}"
        ) from None


def require_usable_home() -> None:
    """Raises click.ClickException when DAGSTER_HOME is set to what cannot be a directory."""
    home = Path(os.environ.get("DAGSTER_HOME") or Path(DEFAULT_HOME).absolute())
    if not home.is_absolute():
        raise click.ClickException(f"DAGSTER_HOME: {home} must be an absolute path")
    in_the_way = next((each for each in (home, *home.parents) if each.exists() and not each.is_dir()), None)
    if in_the_way:
        raise click.ClickException(f"DAGSTER_HOME: {in_the_way} is not a directory")


def ensure_dagster_home() -> Path:
    """DAGSTER_HOME, made under the working directory and noted in ``.env`` when it is not set."""
    if not os.environ.get("DAGSTER_HOME"):
        home = Path(DEFAULT_HOME).absolute()
        os.environ["DAGSTER_HOME"] = str(home)
        environment_file = Path(ENVIRONMENT_FILE)
        before = environment_file.read_text() if environment_file.exists() else ""
        newline = "" if not before or before.endswith("\n") else "\n"
        environment_file.write_text(f"{before}{newline}DAGSTER_HOME={home}\n")
    home = Path(os.environ["DAGSTER_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(files("dataset_project.cli").joinpath("dagster.yaml").read_text())
    return home


@contextmanager
def dagster_instance() -> Iterator[DagsterInstance]:
    """The instance in DAGSTER_HOME. One process at a time opens it: two that create its SQLite databases at once may
    wait for each other for ever."""
    from dagster import DagsterInstance
    from filelock import FileLock

    with ExitStack() as opened:
        with FileLock(ensure_dagster_home() / ".opening.lock"):
            instance = opened.enter_context(DagsterInstance.get())
            instance.get_runs_count()
        yield instance


@contextmanager
def build_lock(instance: DagsterInstance, build_id: str) -> Iterator[None]:
    """Held while a build lives. Runs of builds that died (kill -9, power) are marked failed first: nobody watches them,
    and they would count as running for ever."""
    from dagster import DagsterRunStatus, RunsFilter
    from filelock import FileLock, Timeout

    from dataset_project.orchestration.build import BUILD_TAG
    from dataset_project.orchestration.pools import free_slots

    locks = ensure_dagster_home() / "builds"
    locks.mkdir(exist_ok=True)
    open_runs = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
    for run in instance.get_runs(RunsFilter(statuses=open_runs)):
        if BUILD_TAG in run.tags:
            try:
                theirs = locks / f"{run.tags[BUILD_TAG]}.lock"
                with FileLock(theirs, timeout=0):
                    instance.report_run_failed(run, "The process of the build that made this run has died.")
                    free_slots(instance, run.run_id)
                    theirs.unlink(missing_ok=True)
            except Timeout:
                continue  # alive
    lock = locks / f"{build_id}.lock"
    try:
        with FileLock(lock):
            yield
    finally:
        lock.unlink(missing_ok=True)


def chosen_datasets(project: Project, families: Sequence[str]) -> list[PartitionedDataset]:
    """Datasets of the named families (all without names). Raises click.UsageError for a family that does not exist."""
    known = list(dict.fromkeys(dataset.family for dataset in project.datasets))
    unknown = [family for family in families if family not in known]
    if unknown:
        raise click.UsageError(f"no family {', '.join(map(repr, unknown))}; there are: {', '.join(known)}")
    return [dataset for dataset in project.datasets if not families or dataset.family in families]


def parse_partitions(texts: Sequence[str], datasets: Sequence[PartitionedDataset]) -> frozenset[str] | None:
    """Keys named by ``KEY`` and ``A...B`` texts, with what they are made of; None without any.

    Raises click.UsageError for keys nobody has.
    """
    from dataset_project.orchestration.build import with_inputs

    if not texts:
        return None
    keys = list(dict.fromkeys(key for dataset in datasets if dataset.partition_keys for key in dataset.partition_keys))

    def position(key: str) -> int:
        if key not in keys:
            there_are = f"there are {len(keys)}: {keys[0]} … {keys[-1]}" if keys else "nothing chosen is partitioned"
            raise click.UsageError(f"no partition {key!r}; {there_are}")
        return keys.index(key)

    chosen: set[str] = set()
    for text in texts:
        first, dots, last = text.partition("...")
        start, end = position(first), position(last if dots else first)
        if end < start:
            raise click.UsageError(f"partition range {text!r} runs backwards")
        chosen.update(keys[start : end + 1])
    return with_inputs(chosen, datasets)
