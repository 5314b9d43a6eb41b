"""The cohort: archetypes drawn around the published means, and the patients that live on them.

Archetype a comes from its own stream; patient n lives on archetype n // 5, so neither depends on how many there are or
in which block they are computed. Age groups and splits come in design groups of 20 archetypes (one block of 100
patients), so every such block holds every age group in every split. Behaviour belongs to ``behaviour``; the numbers
drawn around belong to ``parameters``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.schemas import PATIENTS
from dataset_project.simulations.simulator.model import (
    MODEL_NAME,
    basal_production_constant,
    basal_rate_u_per_min,
    basal_state,
    steady_state_residual,
)
from dataset_project.simulations.simulator.parameters import (
    AGE_GROUPS,
    BASAL_GLUCOSE_MGDL,
    BASAL_GLUCOSE_WIDTH,
    BASAL_INSULIN_WIDTH,
    BASAL_SHARE,
    BODY_WEIGHT_WIDTH,
    CARBOHYDRATE_RULE,
    CORRECTION_RULE,
    HEPATIC_EXTRACTION,
    JITTER,
    MINUTES_PER_DAY,
    PUBLISHED_MEANS,
    SENSITIVITY_WEIGHT_EXPONENT,
    SENSITIVITY_WIDTH,
    SUBCUTANEOUS_DELAY_MINUTES,
    ParameterSet,
)
from dataset_project.simulations.simulator.scenarios import choose_scenario
from dataset_project.storage.seeding import seed_for, stream

PATIENTS_PER_ARCHETYPE = 5
# (age group, split) of the 20 archetypes of a design group; which archetype gets which is drawn once per group.
DESIGN = tuple(
    (group, split)
    for group, counts in (("child", (4, 1, 1)), ("adolescent", (4, 1, 1)), ("adult", (6, 1, 1)))
    for split, count in zip(("train", "val", "test"), counts, strict=True)
    for _ in range(count)
)
PARAMETER_SOURCE = "log-normal around the means of Dalla Man et al. 2006-2007"
MAX_ATTEMPTS = 1000


@dataclass(frozen=True)
class Archetype:
    """One virtual physiology: its parameters (one column), basal glucose (mg/dL) and insulin therapy (U, g)."""

    number: int
    group: str
    split: str
    age_years: float
    parameters: ParameterSet
    basal_glucose_mgdl: float
    basal_u_per_min: float
    tdi_u_per_day: float
    rejections: tuple[str, ...]


@dataclass(frozen=True)
class Cohort:
    """Patients first .. first + n - 1: per-patient columns; ``archetypes`` are the distinct ones, ascending."""

    numbers: range
    archetypes: tuple[Archetype, ...]
    of: tuple[Archetype, ...]
    scenarios: tuple[str, ...]
    parameters: ParameterSet
    basal_states: np.ndarray

    def column(self, name: str) -> np.ndarray:
        """A number of the archetype (``tdi_u_per_day`` …) per patient, float64 (n,)."""
        return np.array([getattr(archetype, name) for archetype in self.of], dtype=np.float64)

    def facts(self) -> dict:
        """JSON-able counts: archetypes, rejected draws by reason, largest steady-state residual."""
        reasons = Counter(reason for archetype in self.archetypes for reason in archetype.rejections)
        return {
            "patients": len(self.numbers),
            "archetypes": len(self.archetypes),
            "rejected_archetype_draws": sum(reasons.values()),
            "rejection_reasons": dict(sorted(reasons.items())),
            "max_steady_state_residual": float(steady_state_residual(self.basal_states, self.parameters).max()),
        }


def patient_id(number: int) -> str:
    """``patient_0000123``: fixed width, so that text order is number order."""
    return f"patient_{number:07d}"


def archetype_id(number: int) -> str:
    """``archetype_0000024``."""
    return f"archetype_{number:07d}"


def design_of(master_seed: int, archetype: int) -> tuple[str, str]:
    """(age group, split) of an archetype: a seeded permutation of DESIGN within its design group."""
    group, position = divmod(archetype, len(DESIGN))
    order = stream(master_seed, "simulations", "design", group).permutation(len(DESIGN))
    return DESIGN[int(order[position])]


def _tidy(value: float) -> float:
    # Six significant digits: absorbs last-bit differences of exp between C libraries.
    return float(f"{value:.6g}")


def draw_archetype(master_seed: int, number: int) -> Archetype:
    """Draw archetype ``number``, again and again until it lies within its age group's bands.

    Raises RuntimeError after MAX_ATTEMPTS: then the declared bands do not fit the declared means.
    """
    group_name, split = design_of(master_seed, number)
    group = AGE_GROUPS[group_name]
    rng = stream(master_seed, "simulations", "archetype", number)
    rejections: list[str] = []
    for _ in range(MAX_ATTEMPTS):
        age = round(float(rng.uniform(*group.age_years)), 1)
        spread = np.exp(rng.standard_normal(len(JITTER)) * list(JITTER.values()))
        rows = {**PUBLISHED_MEANS, "ksc": 1.0 / SUBCUTANEOUS_DELAY_MINUTES}
        rows |= {name: rows[name] * factor for name, factor in zip(JITTER, spread, strict=True)}
        weight, sensitivity, insulin, glucose = np.exp(
            rng.standard_normal(4) * (BODY_WEIGHT_WIDTH, SENSITIVITY_WIDTH, BASAL_INSULIN_WIDTH, BASAL_GLUCOSE_WIDTH)
        )
        rows["BW"] = float(np.interp(age, group.age_years, group.body_weight_kg)) * weight
        rows["VG"] *= group.distribution_volume
        relative_weight = rows["BW"] / (0.5 * sum(group.body_weight_kg))
        action = group.sensitivity * sensitivity * relative_weight**SENSITIVITY_WEIGHT_EXPONENT
        rows["Vmx"] *= action
        rows["kp3"] *= action
        rows["Ib"] = group.basal_insulin / sensitivity * insulin
        rows["m3"] = HEPATIC_EXTRACTION * rows["m1"] / (1.0 - HEPATIC_EXTRACTION)
        rows["kgri"] = rows["kmax"]
        rows = {name: np.array([_tidy(value)]) for name, value in rows.items()}
        basal_glucose = np.array([round(BASAL_GLUCOSE_MGDL * float(glucose), 2)])
        rows["kp1"] = basal_production_constant(basal_glucose, rows)
        parameters = ParameterSet.from_rows(rows)
        # What the pump delivers in 5 min is stored to 1e-5 U, so it delivers no finer.
        basal = round(float(basal_rate_u_per_min(parameters)[0]), 6)
        tdi = round(basal * MINUTES_PER_DAY / BASAL_SHARE, 2)
        outside = _outside(group.bands, basal_glucose, rows, tdi)
        if not outside:
            return Archetype(
                number, group_name, split, age, parameters, float(basal_glucose[0]), basal, tdi, tuple(rejections)
            )
        rejections.append(outside)
    raise RuntimeError(
        f"archetype {number} ({group_name}) left its bands {MAX_ATTEMPTS} times, most often by "
        f"{Counter(rejections).most_common(1)[0][0]}: the bands in parameters.py do not fit the means"
    )


def _outside(bands: dict, basal_glucose: np.ndarray, rows: dict, tdi: float) -> str:
    """Name of the first band that is left, or nothing."""
    values = {
        "basal_glucose_mgdl": float(basal_glucose[0]),
        "basal_insulin_pmol_l": float(rows["Ib"][0]),
        "body_weight_kg": float(rows["BW"][0]),
        "kp1": float(rows["kp1"][0]),
        "tdi_u_per_day": tdi,
        "cr_g_per_u": CARBOHYDRATE_RULE / tdi,
    }
    return next((name for name, (low, high) in bands.items() if not low <= values[name] <= high), "")


def build_cohort(settings: SimulationSettings, master_seed: int, first_patient: int, n_patients: int) -> Cohort:
    """The patients first_patient .. first_patient + n_patients - 1. Raises ValueError for an unknown scenario."""
    if first_patient < 0 or n_patients < 1:
        raise ValueError(f"patients {first_patient} + {n_patients}: need a start of at least 0 and one patient")
    numbers = range(first_patient, first_patient + n_patients)
    drawn = {
        number: draw_archetype(master_seed, number)
        for number in range(numbers[0] // PATIENTS_PER_ARCHETYPE, numbers[-1] // PATIENTS_PER_ARCHETYPE + 1)
    }
    of = tuple(drawn[number // PATIENTS_PER_ARCHETYPE] for number in numbers)
    scenarios = tuple(
        choose_scenario(settings.scenario, stream(master_seed, "simulations", "patient", number, "scenario").random())
        for number in numbers
    )
    parameters = ParameterSet(np.concatenate([archetype.parameters.values for archetype in of], axis=1))
    glucose = np.array([archetype.basal_glucose_mgdl for archetype in of])
    return Cohort(numbers, tuple(drawn.values()), of, scenarios, parameters, basal_state(parameters, glucose))


def table_of(cohort: Cohort, master_seed: int, config_hash: str) -> pa.Table:
    """The ``patients`` table of a cohort, in patient order."""
    n = len(cohort.numbers)
    tdi = cohort.column("tdi_u_per_day")
    columns = {
        "patient_id": [patient_id(number) for number in cohort.numbers],
        "archetype_id": [archetype_id(archetype.number) for archetype in cohort.of],
        "cohort": [archetype.group for archetype in cohort.of],
        "age_years": cohort.column("age_years"),
        "body_weight_kg": cohort.parameters["BW"],
        "tdi_u_per_day": tdi,
        "cr_g_per_u": CARBOHYDRATE_RULE / tdi,
        "cf_mgdl_per_u": CORRECTION_RULE / tdi,
        "basal_u_per_h": cohort.column("basal_u_per_min") * 60.0,
        "basal_glucose_mgdl": cohort.column("basal_glucose_mgdl"),
        "model": [MODEL_NAME] * n,
        "parameter_source": [PARAMETER_SOURCE] * n,
        "scenario": cohort.scenarios,
        "seed": [seed_for(master_seed, "simulations", "patient", number) for number in cohort.numbers],
        "split": [archetype.split for archetype in cohort.of],
        "config_hash": [config_hash] * n,
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in PATIENTS], schema=PATIENTS)


def patients_table(
    settings: SimulationSettings, master_seed: int, first_patient: int, n_patients: int, config_hash: str
) -> tuple[pa.Table, dict]:
    """The ``patients`` table (schema PATIENTS, n_patients rows) of a block and its facts (see ``Cohort.facts``)."""
    cohort = build_cohort(settings, master_seed, first_patient, n_patients)
    return table_of(cohort, master_seed, config_hash), cohort.facts()
