"""What end-to-end tests share: a directory to work in as a user would, real commands and servers, bounded waits.

Nothing here imports the definitions: every command and server is a process of its own, started in its own session, so
that all it leaves behind can be found and stopped by that session's id.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import dagster as dg
import psutil

from dataset_project.storage.store import DatasetStore
from dataset_project_tests.support import ROOT, file_hashes

# Four blocks of ten patients over three days: every rule of the family is at work, and a partition takes 0.1 s.
SMALL = {
    "DATASET_FAMILIES": '["simulations"]',
    "DATASET_SIMULATIONS__PATIENTS": "40",
    "DATASET_SIMULATIONS__PATIENTS_PER_BLOCK": "10",
    "DATASET_SIMULATIONS__DAYS": "3",
    "DATASET_SIMULATIONS__HISTORY_HOURS": "[2,6]",
    "DATASET_EXECUTOR": "in_process",
}
COHORTS = tuple(f"cohort_{number:04d}" for number in range(4))
BLOCKED = ("patients", "glucose_timeseries", "forecast_windows")
WHOLE = ("training_splits", "simulation_report")
SCRIPTS = Path(sys.executable).parent
LONGEST_COMMAND = 300.0

Value = TypeVar("Value")


class Workplace:
    """A directory in which commands run: ``data/`` and the Dagster home under it, settings of the small size.

    ``checkout``: also what `dagster` and `dg` look for in the root of the repository. It is a copy of the root's files
    because a developer's ``.env`` there names their own DAGSTER_HOME, and `dagster` lets that win over the environment.
    """

    def __init__(self, directory: Path, checkout: bool = False, **environment: str):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.data, self.home = directory / "data", directory / "home"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATASET_", "DAGSTER_"))}
        self.environment = inherited | SMALL | environment
        self.environment |= {
            "DAGSTER_HOME": str(self.home),
            "DATASET_DATA_DIR": str(self.data),
            "PATH": f"{SCRIPTS}{os.pathsep}{inherited.get('PATH', '')}",
            "COLUMNS": "200",
        }
        if checkout:
            for name in ("pyproject.toml", "workspace.yaml"):
                (directory / name).write_text((ROOT / name).read_text())
            (directory / "dataset_project").symlink_to(ROOT / "dataset_project")
        self.store = DatasetStore(self.data)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command to its end, output captured."""
        return subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_COMMAND,
            check=False,
        )

    def build(self, *arguments: str, **environment: str) -> str:
        """`dataset-project build`, which must succeed; its output."""
        done = self.run("dataset-project", "build", *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def started(self, *command: str, log: str = "command.log", **environment: str) -> Iterator[subprocess.Popen]:
        """A command in a session of its own, all of which is gone afterwards; its output goes to the file ``log``."""
        with open(self.directory / log, "ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.directory,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            end_session(process)

    def instance(self) -> dg.DagsterInstance:
        """The instance that the commands recorded in; a context manager."""
        return dg.DagsterInstance.from_config(str(self.home))

    def run_count(self) -> int:
        with self.instance() as instance:
            return instance.get_runs_count()

    def events(self, dataset: str) -> list[dg.AssetMaterialization]:
        """Every materialisation of a dataset, oldest first."""
        with self.instance() as instance:
            records = instance.fetch_materializations(dg.AssetKey([dataset]), limit=1000, ascending=True).records
        return [record.asset_materialization for record in records]

    def events_per_partition(self, dataset: str) -> dict[str | None, int]:
        return dict(Counter(event.partition for event in self.events(dataset)))

    def manifest(self) -> dict[tuple[str, str], dict]:
        """Rows of ``manifest.parquet`` by dataset and partition."""
        import pyarrow.parquet as pq

        rows = pq.read_table(self.data / "manifest.parquet").to_pylist()
        found = {(row["dataset"], row["partition"]): row for row in rows}
        assert len(found) == len(rows), "the manifest has two rows for one partition"
        return found

    def hashes(self, *datasets: str) -> dict[str, str]:
        """SHA-256 of every data file, of the named datasets or of all."""
        found = file_hashes(self.data)
        return {name: value for name, value in found.items() if not datasets or name.split("/", 1)[0] in datasets}


def files_with_times(directory: Path) -> dict[str, tuple[int, int]]:
    """Every file below a directory with its inode and modification time: two equal answers mean nothing was written."""
    return {
        path.relative_to(directory).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def wait_for(what: str, condition: Callable[[], Value], seconds: float = 120.0, pause: float = 0.1) -> Value:
    """The first true value of ``condition``. Fails, naming ``what``, when none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(pause)


def session_members(session: int) -> list[psutil.Process]:
    """Processes of a session that are alive (a zombie is not: it only waits to be counted by its parent)."""
    members = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return members


def end_session(leader: subprocess.Popen, patience: float = 30.0) -> None:
    """Stop everything in the session of a process that was started with one: asked first, then killed."""
    if session_members(leader.pid):
        _signal(leader, signal.SIGTERM)
        deadline = time.monotonic() + patience
        while session_members(leader.pid) and time.monotonic() < deadline:
            leader.poll()
            time.sleep(0.1)
    for process in session_members(leader.pid):
        process.kill()
    leader.wait(timeout=patience)


def _signal(leader: subprocess.Popen, number: int) -> None:
    try:
        os.killpg(leader.pid, number)
    except ProcessLookupError:
        # The leader's group is empty; what is left of its session is in groups of its own and gets killed.
        return
