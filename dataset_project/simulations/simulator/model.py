"""The UVA/Padova S2008 glucose-insulin model in readable numpy: right-hand side and basal steady state.

This is the reference the compiled kernel is tested against; nothing here is fast and nothing here integrates.
Equations: Dalla Man, Rizza, Cobelli, IEEE TBME 54(10), 2007 (glucose and insulin), Dalla Man et al., JDST 1(3), 2007
(subcutaneous insulin and glucose), Dalla Man, Camilleri, Cobelli, IEEE TBME 53(12), 2006 (gastric emptying).
Time is in minutes. No counter-regulation, exercise or circadian sensitivity.
"""

from __future__ import annotations

import numpy as np

from dataset_project.simulations.simulator.parameters import PMOL_PER_UNIT, ParameterSet

MODEL_NAME = "UVA/Padova S2008"
# Units: Qsto1, Qsto2, Qgut in mg; Gp, Gt, Gs in mg/kg; Ip, Il, Isc1, Isc2 in pmol/kg; X, I1, XL in pmol/L.
# X is insulin action relative to basal, so it alone may be negative without anything being wrong.
STATES = ("Qsto1", "Qsto2", "Qgut", "Gp", "Gt", "Ip", "X", "I1", "XL", "Il", "Isc1", "Isc2", "Gs")
STATE = {name: index for index, name in enumerate(STATES)}
STEADY_STATE_TOLERANCE = 1e-8


def gastric_emptying(stomach_mg: np.ndarray, meal_mg: np.ndarray, p: ParameterSet) -> np.ndarray:
    """Rate kempt (1/min, shape (n,)) at which ``stomach_mg`` leaves, after a last meal of ``meal_mg``.

    Fast when the stomach is nearly full or nearly empty, slow between (IEEE TBME 2006); kmax when no meal was eaten.
    """
    eaten = meal_mg > 0
    meal = np.where(eaten, meal_mg, 1.0)
    rising = np.tanh(2.5 * (stomach_mg - p["b"] * meal) / (meal * (1.0 - p["b"])))
    falling = np.tanh(2.5 * (stomach_mg - p["c"] * meal) / (meal * p["c"]))
    kempt = p["kmin"] + 0.5 * (p["kmax"] - p["kmin"]) * (rising - falling + 2.0)
    return np.where(eaten, kempt, p["kmax"])


def right_hand_side(
    state: np.ndarray, p: ParameterSet, insulin_pmol_kg_min: np.ndarray, carbs_mg_min: np.ndarray, meal_mg: np.ndarray
) -> np.ndarray:
    """Time derivative of the 13 states.

    ``state`` is (13, n) in the order of STATES; inputs are (n,): infusion of insulin (pmol/kg/min), carbohydrate being
    eaten (mg/min) and the size of the last meal with what the stomach held when it began (mg). Returns (13, n) per min.
    """
    qsto1, qsto2, qgut, gp, gt, ip, x, i1, xl, il, isc1, isc2, gs = state
    kempt = gastric_emptying(qsto1 + qsto2, meal_mg, p)
    appearance = p["f"] * p["kabs"] * qgut / p["BW"]
    production = np.maximum(p["kp1"] - p["kp2"] * gp - p["kp3"] * xl, 0.0)
    excretion = p["ke1"] * np.maximum(gp - p["ke2"], 0.0)
    utilisation = (p["Vm0"] + p["Vmx"] * x) * gt / (p["Km0"] + gt)
    insulin = ip / p["VI"]
    return np.stack(
        [
            -p["kgri"] * qsto1 + carbs_mg_min,
            p["kgri"] * qsto1 - kempt * qsto2,
            kempt * qsto2 - p["kabs"] * qgut,
            production + appearance - p["Fcns"] - excretion - p["k1"] * gp + p["k2"] * gt,
            -utilisation + p["k1"] * gp - p["k2"] * gt,
            -(p["m2"] + p["m4"]) * ip + p["m1"] * il + p["ka1"] * isc1 + p["ka2"] * isc2,
            p["p2u"] * (insulin - p["Ib"] - x),
            p["ki"] * (insulin - i1),
            p["ki"] * (i1 - xl),
            p["m2"] * ip - (p["m1"] + p["m3"]) * il,
            insulin_pmol_kg_min - (p["kd"] + p["ka1"]) * isc1,
            p["kd"] * isc1 - p["ka2"] * isc2,
            p["ksc"] * (gp - gs),
        ]
    )


def tissue_glucose(plasma_mg_kg: np.ndarray, rows: dict) -> np.ndarray:
    """Gt (mg/kg) in balance with Gp at basal insulin: k1 Gp - k2 Gt = Vm0 Gt / (Km0 + Gt), a quadratic in Gt.

    ``rows`` maps parameter names to arrays; the one positive root is taken in the form that does not cancel.
    """
    linear = rows["k2"] * rows["Km0"] + rows["Vm0"] - rows["k1"] * plasma_mg_kg
    constant = rows["k1"] * plasma_mg_kg * rows["Km0"]
    root = np.sqrt(linear * linear + 4.0 * rows["k2"] * constant)
    return np.where(linear > 0, 2.0 * constant / (linear + root), (root - linear) / (2.0 * rows["k2"]))


def basal_production_constant(basal_glucose_mgdl: np.ndarray, rows: dict) -> np.ndarray:
    """The kp1 (mg/kg/min) that makes ``basal_glucose_mgdl`` basal at insulin Ib: EGPb = kp1 - kp2 Gpb - kp3 Ib."""
    gp = basal_glucose_mgdl * rows["VG"]
    uptake = rows["k1"] * gp - rows["k2"] * tissue_glucose(gp, rows)
    production = rows["Fcns"] + rows["ke1"] * np.maximum(gp - rows["ke2"], 0.0) + uptake
    return production + rows["kp2"] * gp + rows["kp3"] * rows["Ib"]


def basal_infusion(p: ParameterSet) -> np.ndarray:
    """Insulin infusion (pmol/kg/min, (n,)) that holds plasma insulin at Ib: what plasma and liver clear."""
    ip = p["Ib"] * p["VI"]
    return (p["m2"] + p["m4"]) * ip - p["m1"] * p["m2"] * ip / (p["m1"] + p["m3"])


def basal_rate_u_per_min(p: ParameterSet) -> np.ndarray:
    """The same infusion as a pump rate in U/min, (n,)."""
    return basal_infusion(p) * p["BW"] / PMOL_PER_UNIT


def basal_state(p: ParameterSet, basal_glucose_mgdl: np.ndarray) -> np.ndarray:
    """Solve the basal steady state, (13, n), for a known basal glucose (mg/dL, (n,)).

    Raises ValueError when the derivative there exceeds STEADY_STATE_TOLERANCE: kp1 then contradicts the glucose.
    """
    gp = basal_glucose_mgdl * p["VG"]
    rows = {name: p[name] for name in ("k1", "k2", "Km0", "Vm0")}
    gt = tissue_glucose(gp, rows)
    ip = p["Ib"] * p["VI"]
    isc1 = basal_infusion(p) / (p["kd"] + p["ka1"])
    zero = np.zeros_like(gp)
    state = np.stack(
        [zero, zero, zero, gp, gt, ip, zero, p["Ib"], p["Ib"], p["m2"] * ip / (p["m1"] + p["m3"]),
         isc1, p["kd"] * isc1 / p["ka2"], gp]
    )  # fmt: skip
    worst = float(np.max(steady_state_residual(state, p), initial=0.0))
    if not worst < STEADY_STATE_TOLERANCE:
        raise ValueError(f"no basal steady state: the largest derivative is {worst:.3g}, not below 1e-8")
    return state


def steady_state_residual(state: np.ndarray, p: ParameterSet) -> np.ndarray:
    """Largest absolute derivative of each person's ``state`` (13, n) under basal insulin and no food, (n,)."""
    nothing = np.zeros(len(p))
    return np.max(np.abs(right_hand_side(state, p, basal_infusion(p), nothing, nothing)), axis=0)
