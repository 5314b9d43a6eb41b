"""simglucose 0.2.11 as an oracle: its own patients, parameters and loop, driven as its users drive it.

The adapter, not our model, takes its quirks into account: what it calls BG is subcutaneous glucose; a value of its
environment is the average over a sample step; its bolus comes one step after the meal; resetting discards one sample
of sensor noise. Its parameters are read from the installed wheel and go nowhere else. Install it with
``pip install --no-deps simglucose==0.2.11``; it imports ``gym`` and ``pkg_resources``, which small stand-ins replace.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np

from dataset_project.simulations.simulator.parameters import PARAMETERS, ParameterSet

# Our parameter name -> theirs, where they differ.
_THEIR_NAME = {"VG": "Vg", "VI": "Vi", "m3": "m30", "kgri": "kmax", "c": "d", "Fcns": "Fsnc"}
SAMPLE_MINUTES = 3  # of the Dexcom sensor their examples use
DEFAULT_PATIENTS = ("child#007", "child#002", "adolescent#001", "adolescent#008", "adult#001", "adult#009")


@dataclass(frozen=True)
class OracleRun:
    """One simulated patient: inputs actually given in each minute, and what came out.

    ``insulin_u`` and ``eaten_g`` (minutes,); ``subcutaneous_mgdl`` (minutes,) after each minute; ``averaged_mgdl``
    (minutes / SAMPLE_MINUTES,) is what their environment reports as BG.
    """

    insulin_u: np.ndarray
    eaten_g: np.ndarray
    subcutaneous_mgdl: np.ndarray
    averaged_mgdl: np.ndarray


def package_directory() -> Path:
    """Where simglucose is installed. Raises ModuleNotFoundError saying how to install it."""
    spec = find_spec("simglucose")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "the oracle needs simglucose: pip install --no-deps simglucose==0.2.11", name="simglucose"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def load(name: str) -> ModuleType:
    """Import ``simglucose.<name>`` with stand-ins for gym and pkg_resources in place during the import only."""
    directory = package_directory()
    registration = ModuleType("gym.envs.registration")
    registration.register = lambda **_: None
    resources = ModuleType("pkg_resources")
    resources.resource_filename = lambda _, path: str(directory / path)
    standins = {
        "gym": ModuleType("gym"),
        "gym.envs": ModuleType("gym.envs"),
        "gym.envs.registration": registration,
        "pkg_resources": resources,
    }
    before = {module: sys.modules.get(module) for module in standins}
    sys.modules.update(standins)
    try:
        return importlib.import_module(f"simglucose.{name}")
    finally:
        for module, original in before.items():
            if original is None:
                del sys.modules[module]
            else:
                sys.modules[module] = original


def patient_rows(names: tuple[str, ...]) -> list:
    """Their parameters of the named patients, pandas rows, from the installed wheel. Raises KeyError for others."""
    import pandas as pd

    everyone = pd.read_csv(package_directory() / "params" / "vpatient_params.csv").set_index("Name", drop=False)
    return [everyone.loc[name] for name in names]


def as_parameters(rows: list) -> tuple[ParameterSet, np.ndarray]:
    """Their parameters and initial states in our layout: a ParameterSet of n and float64 (13, n)."""
    columns = {name: [float(row[_THEIR_NAME.get(name, name)]) for row in rows] for name in PARAMETERS}
    initial = np.array([row.iloc[2:15].to_numpy(dtype=np.float64) for row in rows]).T
    return ParameterSet.from_rows(columns), np.ascontiguousarray(initial)


def make_patient(row, namespaced: bool):
    """Their patient. ``namespaced`` replaces the pandas row they look parameters up in by a plain namespace."""
    patient = load("patient.t1dpatient").T1DPatient(row)
    if namespaced:
        patient._params = SimpleNamespace(**row.to_dict())
    return patient


def run_model(row, insulin_u: np.ndarray, meals_g: np.ndarray, namespaced: bool) -> np.ndarray:
    """Their patient model alone on given inputs (minutes,): the fastest way to use it. Returns mg/dL (minutes,)."""
    action = load("patient.t1dpatient").Action
    patient = make_patient(row, namespaced)
    result = np.empty(len(insulin_u))
    for minute, (insulin, meal) in enumerate(zip(insulin_u, meals_g, strict=True)):
        patient.step(action(CHO=float(meal), insulin=float(insulin)))
        result[minute] = patient.observation.Gsub
    return result


def run_loop(row, meals: list[tuple[float, float]], minutes: int, namespaced: bool, seed: int = 1) -> OracleRun:
    """Their closed loop: environment, Dexcom sensor, Insulet pump and basal-bolus controller.

    ``meals`` are (hours since the start, grams); ``minutes`` a multiple of SAMPLE_MINUTES.
    """
    patient = make_patient(row, namespaced)
    name = patient.name
    insulin, eaten, subcutaneous, averaged = [], [], [], []
    their_step = patient.step

    def recording_step(action):
        their_step(action)
        insulin.append(action.insulin)
        eaten.append(patient._last_action.CHO)
        subcutaneous.append(patient.observation.Gsub)

    patient.step = recording_step
    start = datetime(2020, 1, 1)
    scenario = load("simulation.scenario").CustomScenario(
        start_time=start, scenario=[(start + timedelta(hours=hours), grams) for hours, grams in meals]
    )
    sensor = load("sensor.cgm").CGMSensor.withName("Dexcom", seed=seed)
    pump = load("actuator.pump").InsulinPump.withName("Insulet")
    environment = load("simulation.env").T1DSimEnv(patient, sensor, pump, scenario)
    controller = load("controller.basal_bolus_ctrller").BBController()
    observation, meal = SimpleNamespace(CGM=environment.CGM_hist[-1]), 0.0
    for _ in range(minutes // SAMPLE_MINUTES):
        action = controller.policy(observation, 0, False, sample_time=SAMPLE_MINUTES, patient_name=name, meal=meal)
        observation = environment.step(action).observation
        averaged.append(environment.BG_hist[-1])
        meal = environment.CHO_hist[-1]
    return OracleRun(np.array(insulin), np.array(eaten), np.array(subcutaneous), np.array(averaged))


def eating_schedule(meals_g: np.ndarray, rate_g_per_min: float = 5.0) -> np.ndarray:
    """Grams eaten per minute when meals (grams at the minute they start) are eaten at their fixed rate."""
    eaten, planned = np.zeros(len(meals_g)), 0.0
    for minute, grams in enumerate(meals_g):
        planned += grams
        eaten[minute] = min(rate_g_per_min, planned)
        planned -= eaten[minute]
    return eaten
