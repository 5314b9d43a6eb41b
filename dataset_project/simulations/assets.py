"""The family's door: patients → glucose_timeseries → forecast_windows [blocks of patients] → training_splits, report.

Partitions, configuration and what each dataset computes; how it is computed stands in the folders beside this module.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from importlib.resources import files

import pyarrow as pa

from dataset_project.orchestration.dataset import Outcome, PartitionedDataset, Upstream
from dataset_project.orchestration.work import PartitionWork
from dataset_project.simulations import checks, schemas
from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.storage.fingerprints import canonical_hash

FAMILY = "simulations"
PATIENTS_BY_SIZE = {"demo": 200, "standard": 1_000, "full": 10_000}


def simulation_datasets(settings: SimulationSettings, size: str, master_seed: int) -> list[PartitionedDataset]:
    """The family's datasets, upstream first."""
    blocks = _Blocks(settings.patients or PATIENTS_BY_SIZE[size], settings.patients_per_block)
    common = {"family": FAMILY, "master_seed": master_seed}
    by_block = common | {"partition_keys": blocks.keys, "key_configuration": blocks.configuration, "cost": blocks.cost}
    scenarios, card = _resource_hash("scenarios.yaml"), _resource_hash("card.md")
    patients = PartitionedDataset(
        name="patients",
        description="Virtual type-1-diabetes patients: who they are, their insulin therapy, their split.",
        code_version="1",
        compute=partial(_patients, settings, blocks),
        schemas={"data": schemas.PATIENTS},
        configuration={"scenario": settings.scenario},
        resources={"scenarios": scenarios},
        validators=checks.patient_validators(settings, master_seed),
        **by_block,
    )
    series = PartitionedDataset(
        name="glucose_timeseries",
        description="Plasma, interstitial and sensor glucose, insulin and carbohydrate, every 5 minutes.",
        code_version="1",
        compute=partial(_series, settings, blocks),
        schemas={"data": schemas.GLUCOSE_TIMESERIES},
        configuration={
            "scenario": settings.scenario,
            "days": settings.days,
            "substeps": settings.substeps,
            "sensor_gaps": settings.sensor_gaps,
        },
        resources={"scenarios": scenarios},
        upstreams=(Upstream(patients),),
        validators=checks.series_validators(settings, master_seed),
        **by_block,
    )
    windows = PartitionedDataset(
        name="forecast_windows",
        description="Forecast windows: outcomes and labels of the next hour; their samples stay in the series.",
        code_version="1",
        compute=partial(_windows, settings),
        schemas={"data": schemas.FORECAST_WINDOWS},
        configuration={
            "history_hours": list(settings.history_hours),
            "training_stride_minutes": settings.training_stride_minutes,
            "evaluation_stride_minutes": settings.evaluation_stride_minutes,
        },
        upstreams=(Upstream(patients), Upstream(series)),
        validators=checks.window_validators(settings),
        **by_block,
    )
    training = PartitionedDataset(
        name="training_splits",
        description="Windows with their samples, one file per split, and the normalisation fitted on train alone.",
        code_version="1",
        compute=partial(_training, settings),
        schemas=_training_schemas(settings),
        configuration={"materialised_history_hours": settings.materialised_history_hours},
        upstreams=(Upstream(series, "all"), Upstream(windows, "all")),
        validators=checks.training_validators(settings),
        **common,
    )
    report = PartitionedDataset(
        name="simulation_report",
        description="How plausible the cohort is: time in ranges, label prevalence, baselines, and their pictures.",
        code_version="1",
        compute=partial(_report, settings),
        schemas={
            "cohort_statistics": schemas.COHORT_STATISTICS,
            "baseline_errors": schemas.BASELINE_ERRORS,
            "label_prevalence": schemas.LABEL_PREVALENCE,
        },
        configuration={
            "card": settings.model_dump(mode="json", include={"days", "scenario", "substeps", "history_hours"})
        },
        resources={"card": card},
        upstreams=(Upstream(patients, "all"), Upstream(series, "all"), Upstream(windows, "all")),
        validators=checks.report_validators(),
        **common,
    )
    return [patients, series, windows, training, report]


def _resource_hash(name: str) -> str:
    return canonical_hash(files("dataset_project.simulations").joinpath("resources", name).read_text(encoding="utf-8"))


class _Blocks:
    """Blocks of patients: partition keys, and which patients each holds. Only the last may be partial."""

    def __init__(self, patients: int, per_block: int):
        self._patients, self._per_block = patients, per_block
        self.keys = tuple(f"cohort_{number:04d}" for number in range(math.ceil(patients / per_block)))
        self._numbers = {key: number for number, key in enumerate(self.keys)}

    def patients(self, key: str) -> range:
        first = self._numbers[key] * self._per_block
        return range(first, min(first + self._per_block, self._patients))

    def configuration(self, key: str) -> dict[str, int]:
        """A partial last block that grows is another block."""
        block = self.patients(key)
        return {"first_patient": block.start, "patients": len(block)}

    def cost(self, key: str) -> float:
        return float(len(self.patients(key)))


def _patients(settings: SimulationSettings, blocks: _Blocks, work: PartitionWork) -> Outcome:
    from dataset_project.simulations.simulator.cohort import patients_table

    block = blocks.patients(work.key)
    table, facts = patients_table(settings, work.master_seed, block.start, len(block), work.config_hash)
    work.write(table)
    return Outcome(items_planned=len(block), items_ok=table.num_rows, facts=_flat(facts))


def _series(settings: SimulationSettings, blocks: _Blocks, work: PartitionWork) -> Outcome:
    from dataset_project.simulations.simulator.simulate import iterate_block

    block, simulated, facts = blocks.patients(work.key), 0, {}
    with work.writer() as writer:
        for part in iterate_block(settings, work.master_seed, block.start, len(block), work.config_hash):
            writer.write(part.series)
            simulated += part.patients.num_rows
            for name, value in _flat(part.facts).items():
                facts[name] = max(facts.get(name, 0), value) if name.startswith("max_") else facts.get(name, 0) + value
    return Outcome(items_planned=len(block), items_ok=simulated, facts=facts)


def _windows(settings: SimulationSettings, work: PartitionWork) -> Outcome:
    from dataset_project.simulations.forecasting.windows import forecast_windows

    patients, valid = work.read("patients"), 0
    with work.writer() as writer:
        # Row group by row group: each holds whole patients, and a long, big block is never in memory whole.
        for series in work.row_groups("glucose_timeseries"):
            windows = forecast_windows(series, patients, settings)
            valid += windows["valid"].to_numpy().sum()
            writer.write(windows)
        facts = {"windows": writer.rows, "valid_windows": int(valid)}
    return Outcome(items_planned=patients.num_rows, items_ok=patients.num_rows, facts=facts)


def _training(settings: SimulationSettings, work: PartitionWork) -> Outcome:
    from contextlib import ExitStack

    from dataset_project.simulations.forecasting.training import index_columns, write_splits

    n_history = settings.materialised_history_hours * 12
    with ExitStack() as open_files:
        writers = {split: open_files.enter_context(work.writer(split)) for split in schemas.SPLITS}
        written = write_splits(_pieces(work, index_columns(n_history)), writers, n_history)
    work.path("normalisation.json").write_text(written.normalisation.to_json(), encoding="utf-8")
    blocks = len(work.keys("glucose_timeseries"))
    return Outcome(items_planned=blocks, items_ok=blocks, facts=_flat({"windows": written.rows}))


def _pieces(work: PartitionWork, columns: list[str] | None = None) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Series and windows of every block, piece by piece: pieces hold whole patients, and only one is in memory."""
    for key in work.keys("glucose_timeseries"):
        yield from _pieces_of(work, key, columns)


def _pieces_of(work: PartitionWork, key: str, columns: list[str] | None = None) -> Iterator[tuple[pa.Table, pa.Table]]:
    series = work.row_groups("glucose_timeseries", key)
    yield from zip(series, work.row_groups("forecast_windows", key, columns=columns), strict=True)


def _report(settings: SimulationSettings, work: PartitionWork) -> Outcome:
    from dataset_project.simulations.report import summary
    from dataset_project.simulations.report.card import card

    sums, blocks, archetypes = summary.ReportSums(), work.keys("patients"), set()
    for key in blocks:
        patients = work.read("patients", key)
        archetypes.update(patients["archetype_id"].to_pylist())
        for series, windows in _pieces_of(work, key):
            sums.add(patients, series, windows)
    groups, errors = summary.glycaemia_of(sums), sums.baselines.errors()
    work.write(summary.statistics_table(groups), "cohort_statistics")
    work.write(summary.baseline_table(errors), "baseline_errors")
    work.write(summary.prevalence_table(sums.labels), "label_prevalence")
    for name, content in summary.draw(sums, groups, errors):
        work.path(f"pictures/{name}.png").write_bytes(content)
    windows = sum(int(counts[0]) for counts in sums.labels.values())
    text = card(settings, work.master_seed, len(archetypes), windows, groups[0], errors)
    work.path("README.md").write_text(text, encoding="utf-8")
    return Outcome(items_planned=len(blocks), items_ok=len(blocks))


def _training_schemas(settings: SimulationSettings) -> dict:
    from dataset_project.simulations.forecasting.training import training_schema

    schema = training_schema(settings.materialised_history_hours * 12)
    return dict.fromkeys(schemas.SPLITS, schema)


def _flat(facts: dict) -> dict[str, int | float | str | bool]:
    """Facts one level deep: ``{"a": {"b": 1}}`` becomes ``{"a_b": 1}``."""
    flat = {}
    for name, value in facts.items():
        flat |= {f"{name}_{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {name: value}
    return flat
