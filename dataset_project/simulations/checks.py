"""The family's rules, tied to its datasets: which validator judges which dataset, and from which files.

Rules stand in `validation` and in the simulator's `diagnostics`; shards and asset checks ask them through the
`Validator`s made here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from dataset_project.orchestration.dataset import PartitionFiles, Validator
from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.storage.validation import Finding

# Enough patients that some stay smooth between meals, few enough for a second of CPU.
_DIAGNOSED_PATIENTS = 40


def _same_partition(rule: Callable[..., Finding], settings: SimulationSettings, own: str, *others: str):
    """The rule on one partition's file and those of the upstream partitions with the same key."""

    def judge(files: PartitionFiles) -> Finding:
        return rule({own: files.data, **{name: files.same(name).data for name in others}}, settings)

    return judge


def _all_partitions(rule: Callable[..., Finding], settings: SimulationSettings, own: str, *others: str):
    """The rule on the files of all partitions at once."""

    def judge(partitions: Sequence[PartitionFiles]) -> Finding:
        tables: dict[str, list[Path]] = {own: [files.data for files in partitions]}
        tables |= {name: [files.same(name).data for files in partitions] for name in others}
        return rule(tables, settings)

    return judge


def patient_validators(settings: SimulationSettings, master_seed: int) -> tuple[Validator, ...]:
    """Rules about `patients`."""
    from dataset_project.simulations.validation import cohort_rules

    return (
        Validator(
            name="patients_sound",
            description="Unique ids and seeds, split a function of the archetype, 500 and 1800 rules, bands.",
            judge=_same_partition(cohort_rules.patients_are_sound, settings, "patients"),
        ),
        Validator(
            name="steady_state",
            description="Patients drawn again are the published; basal residual < 1e-8, 7-day drift < 1 mg/dL.",
            judge=partial(_steady_state, settings, master_seed),
        ),
    )


def _steady_state(settings: SimulationSettings, master_seed: int, files: PartitionFiles) -> Finding:
    from dataset_project.simulations.forecasting.series_arrays import patient_number
    from dataset_project.simulations.simulator import diagnostics
    from dataset_project.simulations.simulator.cohort import build_cohort, table_of

    published = pq.read_table(files.data).replace_schema_metadata(None)
    first, residual, drift, differing = patient_number(published["patient_id"][0].as_py()), 0.0, 0.0, 0
    # A week of states every minute is 1 MB a patient: a few patients at a time.
    for start in range(0, published.num_rows, _DIAGNOSED_PATIENTS):
        some = published.slice(start, _DIAGNOSED_PATIENTS)
        cohort = build_cohort(settings, master_seed, first + start, some.num_rows)
        again = table_of(cohort, master_seed, some["config_hash"][0].as_py()).replace_schema_metadata(None)
        differing += 0 if again.cast(some.schema).equals(some) else some.num_rows
        residual = max(residual, diagnostics.largest_residual(cohort))
        drift = max(drift, diagnostics.basal_drift(cohort))
    return Finding(
        residual < diagnostics.MAX_RESIDUAL and drift < diagnostics.MAX_BASAL_DRIFT_MGDL and not differing,
        f"residual {residual:.1e}, drift {drift:.3f} mg/dL"
        + (f"; {differing} published patients are not what their seed gives" if differing else ""),
        {"residual": residual, "drift_mgdl": drift, "patients_differing": differing},
    )


def series_validators(settings: SimulationSettings, master_seed: int) -> tuple[Validator, ...]:
    """Rules about `glucose_timeseries`."""
    from dataset_project.simulations.validation import cohort_rules

    def own(rule: Callable[..., Finding]):
        return _same_partition(rule, settings, "glucose_timeseries")

    return (
        Validator(
            name="series_complete",
            description="Every patient at every 5 minutes once; plasma outside 20-600 only where flagged; CGM 39-600.",
            judge=own(cohort_rules.series_is_complete),
        ),
        Validator(
            name="series_credible",
            description="The sanity gate: mean glucose and time in ranges are humanly possible.",
            judge=own(cohort_rules.series_is_credible),
        ),
        Validator(
            name="series_match_patients",
            description="The series and the patients table of a block hold the same patients.",
            judge=_same_partition(cohort_rules.series_matches_patients, settings, "glucose_timeseries", "patients"),
        ),
        Validator(
            name="sensor_noise",
            description="Sensor error has the mean, spread, correlation and MARD of Breton & Kovatchev 2008.",
            judge=own(cohort_rules.sensor_is_credible),
        ),
        Validator(
            name="mass_balance",
            description="Carbohydrate and insulin accounts close over two days of meals and boluses.",
            judge=lambda partitions: _mass_balance(settings, master_seed),
            scope="dataset",
        ),
        Validator(
            name="step_halving_order",
            description="Halving the integration step shows fourth order between meals.",
            judge=lambda partitions: _order(settings, master_seed),
            scope="dataset",
        ),
    )


def _mass_balance(settings: SimulationSettings, master_seed: int) -> Finding:
    from dataset_project.simulations.simulator import diagnostics

    cohort = diagnostics.sample_cohort(master_seed, _DIAGNOSED_PATIENTS)
    errors = diagnostics.mass_balance(cohort, master_seed, substeps=settings.substeps)
    return Finding(
        max(errors.values()) < diagnostics.MAX_MASS_ERROR,
        ", ".join(f"{name} {error:.1e}" for name, error in errors.items()),
        {f"{name}_relative_error": error for name, error in errors.items()},
    )


def _order(settings: SimulationSettings, master_seed: int) -> Finding:
    from dataset_project.simulations.simulator import diagnostics

    order = diagnostics.step_halving_order(diagnostics.sample_cohort(master_seed, _DIAGNOSED_PATIENTS), master_seed)
    low, high = diagnostics.ORDER_BAND
    return Finding(low <= order <= high, f"order {order:.2f}", {"order": order})


def window_validators(settings: SimulationSettings) -> tuple[Validator, ...]:
    """Rules about `forecast_windows`."""
    from dataset_project.simulations.validation import label_rules, window_rules

    return (
        Validator(
            name="windows_planned",
            description="Exactly the windows the settings ask for, once each, in order; none touches the warm-up day.",
            judge=_same_partition(window_rules.windows_are_the_planned_ones, settings, "forecast_windows", "patients"),
        ),
        Validator(
            name="labels_recomputed",
            description="Every outcome, label and valid flag equals an independent DuckDB query over the series.",
            judge=_same_partition(label_rules.windows_recomputed, settings, "forecast_windows", "glucose_timeseries"),
        ),
        Validator(
            name="label_prevalence",
            description="Prevalence of every label per split and cohort lies in its declared band.",
            judge=_same_partition(window_rules.prevalence_is_credible, settings, "forecast_windows", "patients"),
        ),
        Validator(
            name="splits_do_not_leak",
            description="No archetype and no patient is in two splits, over all partitions.",
            judge=_all_partitions(window_rules.splits_do_not_leak, settings, "forecast_windows", "patients"),
            scope="dataset",
        ),
    )


def training_validators(settings: SimulationSettings) -> tuple[Validator, ...]:
    """Rules about `training_splits`."""
    from dataset_project.simulations.validation import training_rules

    def over(rule: Callable[..., Finding], *upstreams: str):
        def judge(files: PartitionFiles) -> Finding:
            tables: dict[str, Path | list[Path]] = dict(files.tables)
            tables["normalisation"] = files.directory / "normalisation.json"
            return rule(tables | {name: [each.data for each in files.upstream[name]] for name in upstreams}, settings)

        return judge

    return (
        Validator(
            name="training_windows",
            description="Each split's file holds exactly its valid windows with the index's targets and labels.",
            judge=over(training_rules.training_files_match_windows, "forecast_windows"),
        ),
        Validator(
            name="training_samples",
            description="Samples of windows spread over the files are those of the series.",
            judge=over(training_rules.training_samples_match_series, "glucose_timeseries"),
        ),
        Validator(
            name="normalisation_of_train",
            description="The normalisation is the mean and SD of the train patients' samples, recomputed by DuckDB.",
            judge=over(training_rules.normalisation_is_of_train, "forecast_windows", "glucose_timeseries"),
        ),
    )


def report_validators() -> tuple[Validator, ...]:
    """Rules about `simulation_report`. They say how plausible the cohort is, and block nothing."""
    return (
        Validator(
            name="glycaemia",
            description="Time in ranges and CV against Battelino 2019, and the bands of published cohorts.",
            judge=_glycaemia,
            blocking=False,
        ),
        Validator(
            name="ridge_beats_persistence",
            description="Ridge regression beats persistence at 30 and 60 min on held-out archetypes.",
            judge=_baselines,
            blocking=False,
        ),
    )


def _glycaemia(files: PartitionFiles) -> Finding:
    everybody = pq.read_table(files.tables["cohort_statistics"]).slice(0, 1).to_pylist()[0]
    outside, missed = everybody["outside_real_cohorts"], everybody["targets_missed"]
    figures = {name: value for name, value in everybody.items() if isinstance(value, (int, float))}
    summary = (
        f"mean {everybody['mean_mgdl']:.1f} mg/dL, {everybody['share_70_180']:.1%} in range, CV {everybody['cv']:.1%}"
    )
    notes = [f"outside published cohorts: {outside}"] if outside else []
    notes += [f"consensus targets missed: {missed}"] if missed else []
    return Finding(not outside, "; ".join([summary, *notes]), figures)


def _baselines(files: PartitionFiles) -> Finding:
    from dataset_project.simulations.report.summary import baseline_errors
    from dataset_project.simulations.validation.cohort_rules import ridge_beats_persistence

    return ridge_beats_persistence(baseline_errors(pq.read_table(files.tables["baseline_errors"])))
