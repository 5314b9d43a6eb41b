"""Sensors: the manifest is refreshed after every run, failed ones too.

After a failure nothing downstream runs, the manifest included, so it cannot be left to the asset graph.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

MANIFEST_JOB = "refresh_manifest"
_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]


def manifest_sensors(job: UnresolvedAssetJobDefinition) -> Sequence[dg.SensorDefinition]:
    """One sensor per way a run ends; on by default, because a manifest that is not refreshed is wrong."""
    statuses = {
        "success": dg.DagsterRunStatus.SUCCESS,
        "failure": dg.DagsterRunStatus.FAILURE,
        "cancellation": dg.DagsterRunStatus.CANCELED,
    }
    return [_manifest_sensor(name, status, job) for name, status in statuses.items()]


def _manifest_sensor(name: str, status: dg.DagsterRunStatus, job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=f"manifest_after_{name}",
        run_status=status,
        request_job=job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Refreshes the manifest after a run's {name}.",
    )
    def refresh(context: dg.RunStatusSensorContext):
        if context.dagster_run.job_name == MANIFEST_JOB:
            return dg.SkipReason("the manifest's own run")
        waiting = context.instance.get_runs(dg.RunsFilter(job_name=MANIFEST_JOB, statuses=_WAITING), limit=1)
        if waiting:
            return dg.SkipReason("a refresh that has not begun yet will see this run too")
        return dg.RunRequest(run_key=f"manifest-{context.dagster_run.run_id}")

    return refresh
