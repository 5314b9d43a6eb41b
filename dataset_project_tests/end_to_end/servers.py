"""A running Dagster deployment on loopback: daemon and web server, as `dagster dev` starts them, over a workplace.

Two processes started one by one, because `dagster dev` picks its own instance when the port is taken and hides which of
its children died.
"""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from dataset_project_tests.end_to_end.workplace import Workplace, wait_for

MANIFEST_SENSORS = ("manifest_after_success", "manifest_after_failure", "manifest_after_cancellation")
FINISHED = {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}
_REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "dataset_project"}

_LAUNCH = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_REEXECUTE = """mutation ($params: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_BACKFILL = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
  __typename ... on PartitionBackfill { status } ... on PythonError { message } } }"""
_SENSOR = """query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) {
  __typename ... on Sensor { sensorState { status ticks(limit: 1) { status } } } ... on PythonError { message } } }"""


class Deployment:
    """The web server's GraphQL, and waiting for what the daemon does."""

    def __init__(self, workplace: Workplace, port: int):
        self.workplace, self.url = workplace, f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer's only field. Fails on GraphQL errors and on what the schema calls an error."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        (value,) = answer["data"].values()
        assert not value["__typename"].endswith(("Error", "NotFound", "Conflict")), value
        return value

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/server_info", timeout=10) as response:
                return response.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def sensor_has_ticked(self, name: str) -> bool:
        """Whether a sensor is on and has looked once: it reports runs that end after that, not before."""
        state = self.ask(_SENSOR, selector={**_REPOSITORY, "sensorName": name})["sensorState"]
        assert state["status"] == "RUNNING", name
        return bool(state["ticks"]) and state["ticks"][0]["status"] != "STARTED"

    def backfill(self, datasets: tuple[str, ...], keys: tuple[str, ...]) -> str:
        """Launch a backfill as the UI's dialog does; its id."""
        selection = [{"path": [name]} for name in datasets]
        return self.ask(_LAUNCH, params={"assetSelection": selection, "partitionNames": list(keys)})["backfillId"]

    def reexecute_from_failure(self, backfill_id: str) -> str:
        """Re-execute what failed of a backfill; the new backfill's id."""
        params: Mapping[str, str] = {"parentRunId": backfill_id, "strategy": "FROM_FAILURE"}
        return self.ask(_REEXECUTE, params=params)["backfillId"]

    def ended(self, backfill_id: str, seconds: float = 240) -> str:
        """The backfill's last status, once it has one."""

        def status() -> str | None:
            current = self.ask(_BACKFILL, id=backfill_id)["status"]
            return current if current in FINISHED else None

        return wait_for(f"the end of backfill {backfill_id}", status, seconds, pause=0.5)


@contextmanager
def deployment(workplace: Workplace) -> Iterator[Deployment]:
    """Daemon and web server over the workplace (a checkout), with the Dagster home `dataset-project init` makes."""
    done = workplace.run("dataset-project", "init")
    assert done.returncode == 0, done.stderr
    with workplace.instance() as instance:
        instance.get_runs_count()  # two processes that create one SQLite database at once may wait for each other
    port = _free_port()
    served = Deployment(workplace, port)
    with ExitStack() as running:
        address = ("-h", "127.0.0.1", "-p", str(port))
        server = running.enter_context(
            workplace.started("dagster-webserver", "-w", "workspace.yaml", *address, log="webserver.log")
        )
        daemon = running.enter_context(
            workplace.started("dagster-daemon", "run", "-w", "workspace.yaml", log="daemon.log")
        )

        def is_ready() -> bool:
            for process in (server, daemon):
                assert process.poll() is None, _logs(workplace)
            return served.is_up() and all(served.sensor_has_ticked(name) for name in MANIFEST_SENSORS)

        wait_for("web server and sensors", is_ready, 180, pause=0.5)
        yield served


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _logs(workplace: Workplace) -> str:
    return "\n".join((workplace.directory / name).read_text()[-3000:] for name in ("webserver.log", "daemon.log"))
