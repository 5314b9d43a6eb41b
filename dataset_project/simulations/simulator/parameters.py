"""Published parameters of the S2008 model and the declared spread of virtual patients around them. Numbers only.

Sources: [A] Dalla Man, Rizza, Cobelli, IEEE TBME 54(10), 2007; [B] Dalla Man et al., JDST 1(3), 2007;
[C] Dalla Man, Camilleri, Cobelli, IEEE TBME 53(12), 2006. Bands and spreads are this project's own declarations (round
clinical numbers), not a table copied from any simulator. Equations are in ``model``, the drawing in ``cohort``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

PMOL_PER_UNIT = 6000.0
MINUTES_PER_DAY = 1440

# One row per parameter of the model, in the order every parameter array uses.
PARAMETERS = (
    "VG", "k1", "k2", "VI", "m1", "m2", "m3", "m4", "kmax", "kmin", "kabs", "kgri", "f", "b", "c", "kp1", "kp2", "kp3",
    "ki", "Fcns", "Vm0", "Vmx", "Km0", "p2u", "ke1", "ke2", "ka1", "ka2", "kd", "ksc", "Ib", "BW",
)  # fmt: skip
ROW = {name: row for row, name in enumerate(PARAMETERS)}

UNITS = {
    "VG": "dL/kg", "k1": "1/min", "k2": "1/min", "VI": "L/kg", "m1": "1/min", "m2": "1/min", "m3": "1/min",
    "m4": "1/min", "kmax": "1/min", "kmin": "1/min", "kabs": "1/min", "kgri": "1/min", "f": "1", "b": "1", "c": "1",
    "kp1": "mg/kg/min", "kp2": "1/min", "kp3": "mg/kg/min per pmol/L", "ki": "1/min", "Fcns": "mg/kg/min",
    "Vm0": "mg/kg/min", "Vmx": "mg/kg/min per pmol/L", "Km0": "mg/kg", "p2u": "1/min", "ke1": "1/min", "ke2": "mg/kg",
    "ka1": "1/min", "ka2": "1/min", "kd": "1/min", "ksc": "1/min", "Ib": "pmol/L", "BW": "kg",
}  # fmt: skip

# Mean parameters. kp1 and Ib are absent on purpose: the published kp1 (2.7, [A]) belongs to people without diabetes and
# leaves no positive basal insulin at a diabetic basal glucose, so Ib is declared per age group below and kp1 follows
# from the basal constraint EGPb = kp1 - kp2 Gpb - kp3 Ib of [A]. m3 follows from HEeq, kgri equals kmax as in [C].
PUBLISHED_MEANS: Mapping[str, float] = {
    "VG": 1.88, "k1": 0.065, "k2": 0.079, "VI": 0.05, "m1": 0.190, "m2": 0.484, "m4": 0.194,  # [A]
    "kmax": 0.0558, "kmin": 0.0080, "kabs": 0.057, "f": 0.90,  # [A]
    "b": 0.69, "c": 0.17,  # [C]
    "kp2": 0.0021, "kp3": 0.009, "ki": 0.0079, "Fcns": 1.0,  # [A]
    "Vm0": 2.5, "Vmx": 0.047, "Km0": 225.59, "p2u": 0.0331, "ke1": 0.0005, "ke2": 339.0,  # [A]
    "ka1": 0.0018, "ka2": 0.0182, "kd": 0.0164,  # [B]
}  # fmt: skip
PUBLISHED_KP1 = 2.7
HEPATIC_EXTRACTION = 0.6  # HEeq [A]: m3 = HEeq m1 / (1 - HEeq)
SUBCUTANEOUS_DELAY_MINUTES = 10.0  # Td [B]: ksc = 1 / Td

# Width of the log-normal jitter (SD of the logarithm) of each parameter that varies between people. A parameter that is
# not named keeps its mean: VI, f, Fcns, ke1, ke2 and HEeq are near constant in [A]. Vmx and kp3 also share
# SENSITIVITY_WIDTH below, so they spread most (SD 0.22).
JITTER: Mapping[str, float] = {
    "VG": 0.08, "k1": 0.10, "k2": 0.10, "m1": 0.06, "m2": 0.06, "m4": 0.06, "kmax": 0.15, "kmin": 0.15, "kabs": 0.15,
    "b": 0.04, "c": 0.10, "kp2": 0.15, "kp3": 0.10, "ki": 0.15, "Vm0": 0.10, "Vmx": 0.08, "Km0": 0.05, "p2u": 0.15,
    "ka1": 0.15, "ka2": 0.15, "kd": 0.15, "ksc": 0.10,
}  # fmt: skip


@dataclass(frozen=True)
class AgeGroup:
    """What is declared for one age group.

    ``body_weight_kg`` is the mean weight at the youngest and the oldest age, linear between. ``sensitivity`` multiplies
    the published Vmx and kp3; ``basal_insulin`` is the mean plasma insulin of the basal state (pmol/L). ``bands`` are
    what a drawn person must lie in, or it is rejected and drawn again. ``distribution_volume`` multiplies VG: the
    extracellular water glucose spreads in is a larger part of a child's weight.
    """

    age_years: tuple[float, float]
    body_weight_kg: tuple[float, float]
    distribution_volume: float
    sensitivity: float
    basal_insulin: float
    daily_carbs_g_per_kg: float
    bands: Mapping[str, tuple[float, float]]


BODY_WEIGHT_WIDTH = 0.12
# Sensitivity per kg against weight, within an age group. With insulin needs in proportion to weight, CR = 500 / TDI
# covers the same meal at every weight only if a heavier person is less sensitive in the same proportion.
SENSITIVITY_WEIGHT_EXPONENT = -1.0
# Between people of one group; basal insulin varies inversely with sensitivity: who is resistant needs more of it.
SENSITIVITY_WIDTH = 0.20
BASAL_INSULIN_WIDTH = 0.06
BASAL_GLUCOSE_MGDL = 130.0
BASAL_GLUCOSE_WIDTH = 0.08
BASAL_SHARE = 0.45  # basal dose as a share of total daily insulin: the usual 40-50 % of pump users
CARBOHYDRATE_RULE = 500.0  # CR = 500 / TDI, g/U
CORRECTION_RULE = 1800.0  # CF = 1800 / TDI, mg/dL/U

_ALL_AGES = {"basal_glucose_mgdl": (100.0, 180.0), "kp1": (2.0, 5.5)}
AGE_GROUPS: Mapping[str, AgeGroup] = {
    "child": AgeGroup(
        (6.0, 12.0), (21.0, 41.0), 1.20, 1.70, 64.0, 3.9,
        _ALL_AGES | {"body_weight_kg": (15.0, 55.0), "basal_insulin_pmol_l": (25.0, 130.0),
                     "tdi_u_per_day": (8.0, 50.0), "cr_g_per_u": (10.0, 62.5)},
    ),
    "adolescent": AgeGroup(
        (12.0, 18.0), (43.0, 66.0), 1.05, 1.02, 76.0, 3.1,
        _ALL_AGES | {"body_weight_kg": (32.0, 95.0), "basal_insulin_pmol_l": (30.0, 150.0),
                     "tdi_u_per_day": (18.0, 100.0), "cr_g_per_u": (5.0, 27.8)},
    ),
    "adult": AgeGroup(
        (18.0, 70.0), (76.0, 76.0), 1.00, 1.07, 50.0, 2.8,
        _ALL_AGES | {"body_weight_kg": (48.0, 120.0), "basal_insulin_pmol_l": (20.0, 120.0),
                     "tdi_u_per_day": (15.0, 110.0), "cr_g_per_u": (4.5, 33.4)},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ParameterSet:
    """Model parameters of n people: ``values`` is float64 (len(PARAMETERS), n), rows in the order of PARAMETERS.

    Indexing by name gives the row: ``parameters["VG"]`` is float64 (n,).
    """

    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[0] != len(PARAMETERS):
            raise ValueError(f"a ParameterSet needs shape ({len(PARAMETERS)}, n), not {self.values.shape}")

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[ROW[name]]

    def __len__(self) -> int:
        return self.values.shape[1]

    def take(self, columns: np.ndarray) -> ParameterSet:
        """The same parameters for the people ``columns`` (integer indices), in that order."""
        return ParameterSet(np.ascontiguousarray(self.values[:, columns]))

    @classmethod
    def from_rows(cls, rows: Mapping[str, object]) -> ParameterSet:
        """Stack named rows of equal length; a missing or unknown name raises ValueError."""
        if set(rows) != set(PARAMETERS):
            raise ValueError(f"parameters missing or unknown: {sorted(set(rows) ^ set(PARAMETERS))}")
        return cls(np.stack([np.atleast_1d(np.asarray(rows[name], dtype=np.float64)) for name in PARAMETERS]))
