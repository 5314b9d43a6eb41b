"""Figures of the simulations family: ``python -m benchmarks.simulations [--quick] [--json PATH]``.

Speed of the whole loop against simglucose run in turn with it, accuracy against simglucose and against 16 substeps,
speed of labels and windows, and the memory of a shard. Importing and compiling are reported apart and not counted.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from benchmarks import simglucose_oracle as oracle
from benchmarks.figures import (
    Figure,
    arguments,
    cpu_seconds,
    finish,
    median_cpu_seconds,
    paired_medians,
    peak_bytes,
)

SEED = 20_240_601
MINUTES_PER_DAY = 1440
PEER = "simglucose 0.2.11"
# Breakfast, lunch, dinner: (hours since the start of the day, grams).
MEALS = ((7.0, 45.0), (12.0, 70.0), (18.0, 80.0))
PROBE = "--memory-probe"


def settings(**changes):
    """Default settings of the family with ``changes``."""
    from dataset_project.simulations.configuration import SimulationSettings

    return SimulationSettings(**changes)


def warm_up() -> list[Figure]:
    """Import and compile everything that is measured later; report how long that took."""
    from dataset_project.simulations.simulator.simulate import simulate_block

    start = time.process_time()
    from dataset_project.simulations.simulator import kernel  # noqa: F401

    imported = time.process_time()
    simulate_block(settings(days=2, history_hours=(2,)), SEED, 0, 1, "warm-up")
    done = time.process_time()
    return [
        Figure("import_cpu_s", imported - start, "CPU-s"),
        Figure("compile_or_load_cpu_s", done - imported, "CPU-s"),
    ]


def speed(quick: bool) -> list[Figure]:
    """Patient-days per CPU-second of our whole loop, and of their patient model alone run in turn with ours."""
    from dataset_project.simulations.simulator.simulate import simulate_block

    patients, days = 100, 14
    rounds = 2 if quick else 5

    def ours() -> None:
        simulate_block(settings(days=days, substeps=2), SEED, 0, patients, "bench")

    row = oracle.patient_rows(("adult#001",))[0]
    figures = []
    rates = []
    for metric, namespaced, hours, target in (
        ("ratio_simglucose", False, 8 if quick else 24, 5000.0),
        ("ratio_simglucose_namespaced", True, 24 if quick else 72, 1000.0),
    ):
        insulin = np.full(hours * 60, 0.015)
        meals = np.zeros(hours * 60)
        for day in range(-(-hours // 24)):
            for hour, grams in MEALS:
                minute = int(day * MINUTES_PER_DAY + hour * 60)
                if minute < len(meals):
                    meals[minute] = grams
                    insulin[minute] += grams / 15.0
        oracle.run_model(row, insulin[:2], meals[:2], namespaced)
        mine, theirs = paired_medians(
            ours, lambda i=insulin, m=meals, n=namespaced: oracle.run_model(row, i, m, n), 1 if quick else 3
        )
        rates.append(patients * days / mine)
        their_rate = hours / 24 / theirs
        ratio = rates[-1] / their_rate
        peer = f"{PEER}{', namespace' if namespaced else ''}: {their_rate:.3g} patient-days per CPU-s"
        figures.append(Figure(metric, ratio, "x", target, "at_least", peer, ratio))
    ours_alone = median_cpu_seconds(ours, rounds)
    return [Figure("patient_days_per_cpu_s", patients * days / ours_alone, "patient-day/CPU-s", 600.0), *figures]


def thousand_patients(quick: bool) -> Figure:
    """CPU time of 1,000 patients x 14 days; a quick run times 200 and multiplies."""
    from dataset_project.simulations.simulator.simulate import simulate_block

    blocks = 2 if quick else 10
    seconds = cpu_seconds(
        lambda: [simulate_block(settings(), SEED, 100 * block, 100, "bench") for block in range(blocks)]
    )
    return Figure("cpu_s_1000x14", seconds * 10 / blocks, "CPU-s", 25.0, "at_most")


def error_against_simglucose(quick: bool, days: int = 3) -> Figure:
    """Largest difference of subcutaneous glucose: their closed loop, then our kernel on the inputs it recorded."""
    from dataset_project.simulations.simulator.model import STATE
    from dataset_project.simulations.simulator.simulate import run_prescribed

    names = oracle.DEFAULT_PATIENTS[:2] if quick else oracle.DEFAULT_PATIENTS
    minutes = days * MINUTES_PER_DAY
    rows = oracle.patient_rows(names)
    meals = [(24 * day + hour, grams) for day in range(days) for hour, grams in MEALS]
    theirs = [oracle.run_loop(row, meals, minutes, namespaced=True) for row in rows]
    parameters, initial = oracle.as_parameters(rows)
    run = run_prescribed(
        parameters, initial, np.stack([one.insulin_u for one in theirs]), np.stack([one.eaten_g for one in theirs]), 4
    )
    ours = run.states[:, 1:, STATE["Gs"]] / parameters["VG"][:, None]
    averaged = ours.reshape(len(names), -1, oracle.SAMPLE_MINUTES).mean(axis=2)
    by_minute = np.abs(ours - np.stack([one.subcutaneous_mgdl for one in theirs])).max()
    by_sample = np.abs(averaged - np.stack([one.averaged_mgdl for one in theirs])).max()
    peer = f"{PEER}, {days} days: {', '.join(names)}"
    return Figure("max_error_mgdl", float(max(by_minute, by_sample)), "mg/dL", 0.01, "at_most", peer)


def error_of_substeps(quick: bool) -> Figure:
    """Largest difference of plasma glucose, 2 against 16 substeps a minute, on the same inputs."""
    from dataset_project.simulations.simulator.diagnostics import meal_inputs, sample_cohort
    from dataset_project.simulations.simulator.model import STATE
    from dataset_project.simulations.simulator.simulate import run_prescribed

    patients, days = (10, 2) if quick else (30, 7)
    cohort = sample_cohort(SEED, patients)
    insulin, carbs = meal_inputs(cohort, SEED, days)
    plasma = [
        run_prescribed(cohort.parameters, cohort.basal_states, insulin, carbs, substeps).states[:, :, STATE["Gp"]]
        / cohort.parameters["VG"][:, None]
        for substeps in (2, 16)
    ]
    error = float(np.abs(plasma[0] - plasma[1]).max())
    peer = f"16 substeps, {patients} patients x {days} days"
    return Figure("substep_error_mgdl", error, "mg/dL", 0.15, "at_most", peer)


def labels_and_windows(quick: bool) -> list[Figure]:
    """Per CPU-second: windows labelled, index rows with labels made, windows materialised (2 h, all channels).

    Materialising starts from an index of 2 h windows, as `history_hours=(2,)` makes it. Windows are
    gathered in batches, as they are written. Two untimed rounds first touch the pages that are reused.
    """
    from dataset_project.simulations.forecasting.training import gather_batches
    from dataset_project.simulations.forecasting.windows import forecast_windows, window_labels
    from dataset_project.simulations.simulator.simulate import simulate_block

    chosen, rounds = settings(), 3 if quick else 9
    block = simulate_block(chosen, SEED, 0, 100, "bench")
    windows = forecast_windows(block.series, block.patients, chosen)
    short = forecast_windows(block.series, block.patients, chosen.model_copy(update={"history_hours": (2,)}))

    def gather() -> int:
        return sum(batch.num_rows for batch in gather_batches(block.series, short, 24))

    def rate(rows: int, work) -> float:
        work(), work()
        return rows / median_cpu_seconds(work, rounds)

    unit = "windows/CPU-s"
    labelled = rate(windows.num_rows, lambda: window_labels(block.series, block.patients, chosen))
    indexed = rate(windows.num_rows, lambda: forecast_windows(block.series, block.patients, chosen))
    return [
        Figure("labels_per_cpu_s", labelled, unit, 40e6),
        Figure("index_rows_per_cpu_s", indexed, unit),
        Figure("windows_per_cpu_s", rate(gather(), gather), unit, 15e6),
    ]


DATASETS = ("patients", "glucose_timeseries", "forecast_windows", "training_splits", "simulation_report")


def peak_memory_mb(blocks: int) -> dict[str, float]:
    """Peak memory (MB) of a fresh process per dataset that runs one shard of ``blocks`` blocks: validators included."""
    peaks = {}
    with tempfile.TemporaryDirectory() as directory:
        for name in DATASETS:
            command = [sys.executable, "-m", "benchmarks.simulations", PROBE, directory, str(blocks), name]
            peaks[name] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return peaks


def memory_probe(directory: str, blocks: int, name: str) -> None:
    """What ``peak_memory_mb`` runs: one shard as the spine runs it; prints this process's peak memory in MB."""
    from dataset_project.orchestration.shards import ShardRun, run_shard
    from dataset_project.simulations.assets import simulation_datasets
    from dataset_project.storage.store import DatasetStore

    datasets = simulation_datasets(settings(patients=100 * blocks), "standard", SEED)
    dataset = next(each for each in datasets if each.name == name)
    records = run_shard(dataset, dataset.keys, DatasetStore(directory), ShardRun("bench", "bench", "0"))
    failed = [f"{record.partition}: {record.reason}" for record in records if record.status != "ok"]
    if failed:
        raise SystemExit(f"{name}: {'; '.join(failed)}")
    print(peak_bytes() / 1e6)


def memory(quick: bool) -> list[Figure]:
    """Peak memory of the hungriest shard, and how it grows with the number of blocks once allocators are warm."""
    few, many = (2, 3) if quick else (2, 6)
    fewer, several = peak_memory_mb(few), peak_memory_mb(many)
    hungriest = max(several, key=several.__getitem__)
    growth = max(several[name] / fewer[name] for name in DATASETS)
    peer = f"{hungriest}, {many} blocks of 100 x 14 days"
    return [
        Figure("peak_shard_mb", max(*fewer.values(), *several.values()), "MB", 600.0, "at_most", peer),
        Figure("peak_shard_growth", growth, "x", 1.25, "at_most", f"{many} blocks to {few}, any dataset", growth),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure everything, print it, and return 1 if a target was missed."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv[:1] == [PROBE]:
        memory_probe(argv[1], int(argv[2]), argv[3])
        return 0
    options = arguments("Figures of the simulations family", argv)
    figures = warm_up()
    figures += speed(options.quick)
    figures.append(thousand_patients(options.quick))
    figures.append(error_against_simglucose(options.quick))
    figures.append(error_of_substeps(options.quick))
    figures += labels_and_windows(options.quick)
    figures += memory(options.quick)
    return finish("simulations", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
