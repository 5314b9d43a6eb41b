"""A block of patients from settings to tables: cohort, behaviour, sensor and kernel put together.

Windows and labels are derived from these tables elsewhere; files are written elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataset_project.simulations.configuration import SAMPLE_MINUTES, SimulationSettings
from dataset_project.simulations.schemas import GLUCOSE_TIMESERIES
from dataset_project.simulations.simulator.behaviour import Behaviour, draw_behaviour
from dataset_project.simulations.simulator.cohort import Cohort, build_cohort, patient_id, table_of
from dataset_project.simulations.simulator.parameters import (
    AGE_GROUPS,
    CARBOHYDRATE_RULE,
    CORRECTION_RULE,
    ParameterSet,
)
from dataset_project.simulations.simulator.scenarios import registry
from dataset_project.simulations.simulator.sensor import sensor_error

SAMPLES_PER_DAY = 1440 // SAMPLE_MINUTES
# Sub-blocks keep a part near this many rows (about 60 MB at its peak), whatever block size and length are set.
ROWS_PER_PART = 500_000
_SERIES = ("plasma", "interstitial", "cgm", "basal", "bolus", "announced", "eaten", "rescue")
_ADDED = ("patients", "series_rows", "flagged_samples", "cgm_clipped_low", "cgm_clipped_high", "cgm_missing",
          "rescues", "boluses", "corrections")  # fmt: skip


@dataclass(frozen=True)
class Block:
    """Tables of consecutive patients (schemas PATIENTS and GLUCOSE_TIMESERIES) and JSON-able facts about them."""

    patients: pa.Table
    series: pa.Table
    facts: dict


@dataclass(frozen=True)
class Run:
    """What the kernel filled: ``samples`` by name, (n, n_samples) float32 (``flagged`` bool); ``counters``
    (n, len(COUNTERS)); ``states`` (n, minutes + 1, 13), or None when not recorded."""

    samples: dict[str, np.ndarray]
    counters: np.ndarray
    states: np.ndarray | None


def _call(parameters, initial, n_samples, substeps, closed=None, prescribed=None, record=False) -> Run:
    """One call of the kernel; whichever of ``closed`` and ``prescribed`` is None is filled with empty arrays."""
    from dataset_project.simulations.simulator import kernel

    n = len(parameters)
    if initial.shape != (kernel.N_STATES, n):
        raise ValueError(f"initial states must be ({kernel.N_STATES}, {n}), not {initial.shape}")
    samples = {name: np.zeros((n, n_samples), dtype=np.float32) for name in _SERIES}
    samples["flagged"] = np.zeros((n, n_samples), dtype=bool)
    counters = np.zeros((n, len(kernel.COUNTERS)), dtype=np.int64)
    states = np.zeros((n if record else 0, n_samples * SAMPLE_MINUTES + 1, kernel.N_STATES))
    table, events = np.zeros((0, 0)), (np.zeros((0, 0), dtype=np.int32), np.zeros((0, 0)))
    unused = (table, table, events, events, *(np.zeros((0, 0), dtype=np.float32),) * 2)
    kernel.run(
        kernel.constants(parameters), np.ascontiguousarray(initial), *(closed or unused), *(prescribed or (table,) * 2),
        prescribed is not None, substeps, tuple(samples.values()), counters, states, kernel.workspace(),
    )  # fmt: skip
    return Run(samples, counters, states if record else None)


def run_prescribed(
    parameters: ParameterSet, initial: np.ndarray, insulin_u: np.ndarray, carbs_g: np.ndarray, substeps: int
) -> Run:
    """Run the model with given inputs, recording states every minute; no patient decides anything.

    ``initial`` (13, n); ``insulin_u`` and ``carbs_g`` (n, minutes): U infused and g eaten during each minute, minutes
    a multiple of 5. Raises ValueError for other shapes.
    """
    if insulin_u.shape != carbs_g.shape or insulin_u.shape[0] != len(parameters) or insulin_u.shape[1] % SAMPLE_MINUTES:
        raise ValueError(
            f"inputs must both be ({len(parameters)}, minutes), minutes a multiple of {SAMPLE_MINUTES}, "
            f"not {insulin_u.shape} and {carbs_g.shape}"
        )
    inputs = (np.ascontiguousarray(insulin_u, dtype=np.float64), np.ascontiguousarray(carbs_g, dtype=np.float64))
    return _call(parameters, initial, insulin_u.shape[1] // SAMPLE_MINUTES, substeps, prescribed=inputs, record=True)


def control_columns(cohort: Cohort, behaviour: Behaviour) -> np.ndarray:
    """Per-patient constants of the closed loop, float64 (n, len(kernel.CONTROLS)), in that order.

    U/min, g/U, mg/dL/U, mg/dL, mg/dL, g, mg/dL, probability by day, by night, mg/dL, probability.
    """
    declared = registry()
    pump, chosen = declared.pump, [declared.scenarios[name] for name in cohort.scenarios]
    tdi = cohort.column("tdi_u_per_day")
    # The pump's 5-min amount is what is stored, to 1e-5 U.
    basal = np.round(cohort.column("basal_u_per_min") * behaviour.basal_factor * SAMPLE_MINUTES, 5) / SAMPLE_MINUTES
    same = np.ones(len(tdi))
    columns = (
        basal, CARBOHYDRATE_RULE / tdi, CORRECTION_RULE / tdi, same * pump.correct_above_mgdl,
        same * pump.correct_to_mgdl, same * pump.rescue_g, same * pump.rescue_below_mgdl,
        [one.rescue_day_probability for one in chosen], [one.rescue_night_probability for one in chosen],
        same * pump.urgent_below_mgdl, [one.urgent_rescue_probability for one in chosen],
    )  # fmt: skip
    return np.ascontiguousarray(np.stack(columns, axis=1))


def run_closed_loop(
    cohort: Cohort, master_seed: int, days: int, substeps: int, gaps: bool = True, record: bool = False
) -> Run:
    """Simulate the patients of ``cohort`` for ``days`` days from their basal state (see ``Run``)."""
    n_samples = days * SAMPLES_PER_DAY
    per_kg = np.array([AGE_GROUPS[archetype.group].daily_carbs_g_per_kg for archetype in cohort.of])
    behaviour = draw_behaviour(master_seed, cohort.numbers, cohort.scenarios, per_kg * cohort.parameters["BW"], days)
    noise = sensor_error(master_seed, cohort.numbers, n_samples, gaps)
    closed = (behaviour.sensitivity, control_columns(cohort, behaviour), behaviour.meals, behaviour.boluses,
              behaviour.rescue_draws, noise)  # fmt: skip
    return _call(cohort.parameters, cohort.basal_states, n_samples, substeps, closed=closed, record=record)


def _series_table(numbers: range, samples: dict[str, np.ndarray]) -> pa.Table:
    n, n_samples = samples["plasma"].shape
    index = pa.array(np.repeat(np.arange(n, dtype=np.int32), n_samples))
    columns = [
        pa.DictionaryArray.from_arrays(index, pa.array([patient_id(number) for number in numbers])),
        pa.array(np.tile(np.arange(n_samples, dtype=np.int32) * np.int32(SAMPLE_MINUTES), n)),
        # NaN is how the kernel says that there was no reading.
        *(pa.array(samples[name].reshape(-1), from_pandas=name == "cgm") for name in _SERIES),
        pa.array(samples["flagged"].reshape(-1)),
    ]
    return pa.table(columns, schema=GLUCOSE_TIMESERIES)


def iterate_block(
    settings: SimulationSettings, master_seed: int, first_patient: int, n_patients: int, config_hash: str
) -> Iterator[Block]:
    """The block in parts of consecutive patients, each near ROWS_PER_PART rows: bounded memory for long, big blocks."""
    from dataset_project.simulations.simulator.kernel import COUNTERS, LANES

    # Whole lane groups: a part with one patient over would compute a nearly empty group.
    step = max(1, ROWS_PER_PART // (settings.days * SAMPLES_PER_DAY * LANES)) * LANES
    for first in range(first_patient, first_patient + n_patients, step):
        cohort = build_cohort(settings, master_seed, first, min(step, first_patient + n_patients - first))
        run = run_closed_loop(cohort, master_seed, settings.days, settings.substeps, settings.sensor_gaps)
        series = _series_table(cohort.numbers, run.samples)
        counted = dict(zip(COUNTERS, run.counters.sum(axis=0).tolist(), strict=True))
        counted |= {"series_rows": series.num_rows, "cgm_missing": series["cgm_mgdl"].null_count}
        yield Block(table_of(cohort, master_seed, config_hash), series, cohort.facts() | counted)


def simulate_block(
    settings: SimulationSettings, master_seed: int, first_patient: int, n_patients: int, config_hash: str
) -> Block:
    """Patients first_patient .. + n_patients - 1 over settings.days days.

    ``series`` has 288 x days rows per patient, warm-up day included, by patient and minute. Every patient is the same
    whatever block it is computed in. Raises ValueError for an unknown scenario or an empty block.
    """
    parts = list(iterate_block(settings, master_seed, first_patient, n_patients, config_hash))
    if not parts:
        raise ValueError(f"a block needs at least one patient, not {n_patients}")
    if len(parts) == 1:
        return parts[0]
    facts = {name: sum(part.facts[name] for part in parts) for name in _ADDED}
    # An archetype may straddle two parts, so what is counted per archetype is counted over the whole block.
    facts = build_cohort(settings, master_seed, first_patient, n_patients).facts() | facts
    series = pa.concat_tables([part.series for part in parts]).unify_dictionaries().combine_chunks()
    return Block(pa.concat_tables([part.patients for part in parts]).combine_chunks(), series, facts)
