"""The compiled closed loop: meals, pump, patient decisions, model and sensor, minute by minute, for lanes of patients.

One implementation serves the closed loop and prescribed inputs, so what is compared with other simulators is what users
get. Import this module only inside functions: it imports numba. Nothing is drawn at random here; ``behaviour`` and
``sensor`` draw, ``simulate`` calls.

Patients are laid out LANES abreast so that LLVM vectorises the innermost loop. Arithmetic is plain IEEE (no fastmath,
no contraction, no libm), and every lane runs the same instructions, so a patient's bits depend neither on its lane nor
on its neighbours. Everything one lane group touches lives in one flat workspace: known offsets in a single array are
what lets LLVM prove that rows do not overlap.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from dataset_project.simulations.simulator.model import STATES
from dataset_project.simulations.simulator.parameters import PARAMETERS, PMOL_PER_UNIT, ParameterSet

LANES = 16
N_STATES = len(STATES)
N_PARAMETERS = len(PARAMETERS)
SAMPLE_MINUTES = 5
EATING_RATE_G_PER_MIN = 2.5  # a meal of 60 g takes 24 min
BOLUS_INCREMENT_U = 0.05
PLASMA_LOW, PLASMA_HIGH = 20.0, 600.0
CGM_LOW, CGM_HIGH = 39.0, 600.0
NIGHT_STARTS, NIGHT_ENDS = 23 * 60, 7 * 60
RESCUE_SPACING_MINUTES = 20

# Columns of ``controls``, per patient; units in simulate.control_columns.
CONTROLS = ("basal_u_min", "cr", "cf", "correct_above", "correct_to", "rescue_g", "rescue_below", "rescue_day",
            "rescue_night", "urgent_below", "rescue_urgent")  # fmt: skip
(C_BASAL, C_CR, C_CF, C_ABOVE, C_TARGET, C_RESCUE_G, C_RESCUE_BELOW, C_RESCUE_DAY, C_RESCUE_NIGHT, C_URGENT_BELOW,
 C_URGENT) = range(len(CONTROLS))  # fmt: skip
COUNTERS = ("flagged_samples", "cgm_clipped_low", "cgm_clipped_high", "rescues", "boluses", "corrections")
(N_FLAGGED, N_CLIP_LOW, N_CLIP_HIGH, N_RESCUES, N_BOLUSES, N_CORRECTIONS) = range(len(COUNTERS))

# Workspace rows: states, parameters (spelled out here because numba's cache watches this file only), what
# ``constants`` derives from them, what changes during the run.
_ORDER = ("VG k1 k2 VI m1 m2 m3 m4 kmax kmin kabs kgri f b c kp1 kp2 kp3 ki Fcns Vm0 Vmx Km0 p2u ke1 ke2 ka1 ka2 kd "
          "ksc Ib BW")  # fmt: skip
if tuple(_ORDER.split()) != PARAMETERS:
    raise ImportError("kernel.py and parameters.py disagree on the order of the parameters")
_P = N_STATES
(_VG, _K1, _K2, _VI, _M1, _M2, _M3, _M4, _KMAX, _KMIN, _KABS, _KGRI, _F, _B, _C, _KP1, _KP2, _KP3, _KI, _FCNS, _VM0,
 _VMX, _KM0, _P2U, _KE1, _KE2, _KA1, _KA2, _KD, _KSC, _IB, _BW) = range(_P, _P + N_PARAMETERS)  # fmt: skip
_D = _P + N_PARAMETERS
(_RA, _HALF, _M24, _M13, _KDA, _INV_VI, _SLOPE_B, _SLOPE_C) = range(_D, _D + 8)
_V = _D + 8
(_KP3_NOW, _VMX_NOW, _INSULIN, _CARBS, _INV_MEAL, _OK) = range(_V, _V + 6)
_ROWS = _V + 6

_EXP_TERMS = tuple(1.0 / float(np.prod(np.arange(1, k + 1, dtype=np.float64))) for k in range(12))
(_E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11) = _EXP_TERMS[2:]


@njit(forceinline=True)
def _exp(z):
    """exp(z) for |z| <= 38 to about 1e-13: Taylor series of z/128, squared seven times. Clamped outside."""
    z = min(max(z, -38.0), 38.0) * 0.0078125
    e = _E8 + z * (_E9 + z * (_E10 + z * _E11))
    e = _E4 + z * (_E5 + z * (_E6 + z * (_E7 + z * e)))
    e = 1.0 + z * (1.0 + z * (_E2 + z * (_E3 + z * e)))
    for _ in range(7):
        e = e * e
    return e


@njit(forceinline=True)
def _derivatives(w, i, q1, q2, qg, gp, gt, ip, x, i1, xl, il, s1, s2, gs):
    """``model.right_hand_side`` for the lane at offset ``i`` of the workspace; tanh pairs share one division."""
    u = (q1 + q2) * w[_INV_MEAL * LANES + i]
    up = _exp((u - w[_B * LANES + i]) * w[_SLOPE_B * LANES + i])
    down = _exp((u - w[_C * LANES + i]) * w[_SLOPE_C * LANES + i])
    # tanh(a) - tanh(b) = 2 (e^2a - e^2b) / ((e^2a + 1)(e^2b + 1))
    kempt = w[_KMAX * LANES + i] + w[_HALF * LANES + i] * (2.0 * (up - down) / ((up + 1.0) * (down + 1.0)))
    kempt = kempt if w[_INV_MEAL * LANES + i] > 0.0 else w[_KMAX * LANES + i]
    emptied = kempt * q2
    egp = max(w[_KP1 * LANES + i] - w[_KP2 * LANES + i] * gp - w[_KP3_NOW * LANES + i] * xl, 0.0)
    excretion = w[_KE1 * LANES + i] * max(gp - w[_KE2 * LANES + i], 0.0)
    uptake = (w[_VM0 * LANES + i] + w[_VMX_NOW * LANES + i] * x) * gt / (w[_KM0 * LANES + i] + gt)
    exchange = w[_K1 * LANES + i] * gp - w[_K2 * LANES + i] * gt
    insulin = ip * w[_INV_VI * LANES + i]
    ground = w[_KGRI * LANES + i] * q1
    return (
        w[_CARBS * LANES + i] - ground,
        ground - emptied,
        emptied - w[_KABS * LANES + i] * qg,
        egp + w[_RA * LANES + i] * qg - w[_FCNS * LANES + i] - excretion - exchange,
        exchange - uptake,
        w[_M1 * LANES + i] * il + w[_KA1 * LANES + i] * s1 + w[_KA2 * LANES + i] * s2 - w[_M24 * LANES + i] * ip,
        w[_P2U * LANES + i] * (insulin - w[_IB * LANES + i] - x),
        w[_KI * LANES + i] * (insulin - i1),
        w[_KI * LANES + i] * (i1 - xl),
        w[_M2 * LANES + i] * ip - w[_M13 * LANES + i] * il,
        w[_INSULIN * LANES + i] - w[_KDA * LANES + i] * s1,
        w[_KD * LANES + i] * s1 - w[_KA2 * LANES + i] * s2,
        w[_KSC * LANES + i] * (gp - gs),
    )


@njit(forceinline=True)
def _moved(y, k, h):
    """y + h k for the 13 states."""
    return (
        y[0] + h * k[0], y[1] + h * k[1], y[2] + h * k[2], y[3] + h * k[3], y[4] + h * k[4], y[5] + h * k[5],
        y[6] + h * k[6], y[7] + h * k[7], y[8] + h * k[8], y[9] + h * k[9], y[10] + h * k[10], y[11] + h * k[11],
        y[12] + h * k[12],
    )  # fmt: skip


@njit(error_model="numpy", cache=True)
def _advance_minute(w, substeps):
    """Classical RK4 over one minute for all lanes, then note whether any guard was left (row _OK becomes 0)."""
    h = 1.0 / substeps
    half = 0.5 * h
    sixth = h / 6.0
    for _ in range(substeps):
        for i in range(LANES):
            y = (
                w[i], w[LANES + i], w[2 * LANES + i], w[3 * LANES + i], w[4 * LANES + i], w[5 * LANES + i],
                w[6 * LANES + i], w[7 * LANES + i], w[8 * LANES + i], w[9 * LANES + i], w[10 * LANES + i],
                w[11 * LANES + i], w[12 * LANES + i],
            )  # fmt: skip
            a = _derivatives(w, i, *y)
            b = _derivatives(w, i, *_moved(y, a, half))
            c = _derivatives(w, i, *_moved(y, b, half))
            d = _derivatives(w, i, *_moved(y, c, h))
            w[i] = y[0] + sixth * (a[0] + 2.0 * (b[0] + c[0]) + d[0])
            w[LANES + i] = y[1] + sixth * (a[1] + 2.0 * (b[1] + c[1]) + d[1])
            w[2 * LANES + i] = y[2] + sixth * (a[2] + 2.0 * (b[2] + c[2]) + d[2])
            w[3 * LANES + i] = y[3] + sixth * (a[3] + 2.0 * (b[3] + c[3]) + d[3])
            w[4 * LANES + i] = y[4] + sixth * (a[4] + 2.0 * (b[4] + c[4]) + d[4])
            w[5 * LANES + i] = y[5] + sixth * (a[5] + 2.0 * (b[5] + c[5]) + d[5])
            w[6 * LANES + i] = y[6] + sixth * (a[6] + 2.0 * (b[6] + c[6]) + d[6])
            w[7 * LANES + i] = y[7] + sixth * (a[7] + 2.0 * (b[7] + c[7]) + d[7])
            w[8 * LANES + i] = y[8] + sixth * (a[8] + 2.0 * (b[8] + c[8]) + d[8])
            w[9 * LANES + i] = y[9] + sixth * (a[9] + 2.0 * (b[9] + c[9]) + d[9])
            w[10 * LANES + i] = y[10] + sixth * (a[10] + 2.0 * (b[10] + c[10]) + d[10])
            w[11 * LANES + i] = y[11] + sixth * (a[11] + 2.0 * (b[11] + c[11]) + d[11])
            w[12 * LANES + i] = y[12] + sixth * (a[12] + 2.0 * (b[12] + c[12]) + d[12])
    for i in range(LANES):
        low = min(
            min(min(w[i], w[LANES + i]), min(w[2 * LANES + i], w[4 * LANES + i])),
            min(min(w[5 * LANES + i], w[7 * LANES + i]), min(w[8 * LANES + i], w[9 * LANES + i])),
        )
        low = min(low, min(min(w[10 * LANES + i], w[11 * LANES + i]), w[12 * LANES + i]))
        gp = w[3 * LANES + i]
        vg = w[_VG * LANES + i]
        # Written so that NaN is not ok.
        fine = (low >= 0.0) & (gp >= PLASMA_LOW * vg) & (gp <= PLASMA_HIGH * vg)
        w[_OK * LANES + i] = w[_OK * LANES + i] if fine else 0.0


def constants(p: ParameterSet) -> np.ndarray:
    """Parameters and what the right-hand side derives from them once per patient: float64 (rows, n)."""
    derived = (p["f"] * p["kabs"] / p["BW"], 0.5 * (p["kmax"] - p["kmin"]), p["m2"] + p["m4"], p["m1"] + p["m3"],
               p["kd"] + p["ka1"], 1.0 / p["VI"], 5.0 / (1.0 - p["b"]), 5.0 / p["c"])  # fmt: skip
    return np.ascontiguousarray(np.concatenate([p.values, np.stack(derived)]))


@njit(error_model="numpy", cache=True)
def _load(w, fixed, initial, first):
    """Fill the workspace for patients first .. first + LANES - 1; the last patient fills lanes that are left over."""
    for i in range(LANES):
        patient = min(first + i, fixed.shape[1] - 1)
        for s in range(N_STATES):
            w[s * LANES + i] = initial[s, patient]
        for r in range(fixed.shape[0]):
            w[(_P + r) * LANES + i] = fixed[r, patient]
        w[_KP3_NOW * LANES + i] = w[_KP3 * LANES + i]
        w[_VMX_NOW * LANES + i] = w[_VMX * LANES + i]
        w[_INSULIN * LANES + i] = w[_CARBS * LANES + i] = w[_INV_MEAL * LANES + i] = 0.0
        w[_OK * LANES + i] = 1.0


@njit(forceinline=True)
def _resolved(value, resolution):
    """``value`` rounded half up to 1/resolution; no libm."""
    return np.floor(value * resolution + 0.5) / resolution


@njit(error_model="numpy", cache=True, nogil=True)
def run(fixed, initial, sensitivity, controls, meals, boluses, rescue_draws, noise, insulin_u, carbs_g,
        prescribed, substeps, samples, counters, states, w):  # fmt: skip
    """Simulate n patients into ``samples``; arrays are C-contiguous, time is in minutes, a sample every 5 min.

    fixed from ``constants``, initial (13, n); sensitivity (n, days + 1): factor of kp3 and Vmx at midnights, linear
    between; controls (n, len(CONTROLS)); meals, boluses: pairs (minute int32 (n, k) ascending, grams float64 (n, k)),
    padded beyond the end; rescue_draws (n, slots of 20 min) uniforms; noise (n, n_samples) mg/dL, NaN: no signal, when
    nobody corrects or takes rescue carbohydrate. With ``prescribed`` all from sensitivity to noise is ignored and
    insulin_u, carbs_g (n, minutes) are infused and eaten. Fills samples (n, n_samples): plasma, interstitial, cgm,
    basal, bolus, announced, eaten, rescue (float32), flagged (bool); counters (n, len(COUNTERS)); states
    (n, minutes + 1, 13) unless its length is 0. ``w`` comes from ``workspace()``.
    """
    plasma, interstitial, cgm, basal_out, bolus_out, announced_out, eaten_out, rescue_out, flagged = samples
    meal_minute, meal_g = meals
    bolus_minute, bolus_g = boluses
    n, n_samples = plasma.shape
    record = states.shape[0] > 0
    for first in range(0, n, LANES):
        _load(w, fixed, initial, first)
        lanes = min(LANES, n - first)
        stomach = np.zeros(LANES)  # what the stomach held when the current meal began, mg
        taken = np.zeros(LANES)  # eaten of the current meal, mg
        was_eating = np.zeros(LANES, np.bool_)
        to_eat, to_rescue = np.zeros(LANES), np.zeros(LANES)
        reading = np.zeros(LANES)  # last CGM reading, NaN during signal loss
        next_meal, next_bolus = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
        last_rescue = np.full(LANES, -RESCUE_SPACING_MINUTES)
        for step in range(n_samples):
            start = step * SAMPLE_MINUTES
            of_day = start % 1440
            for i in range(lanes):
                p = first + i
                gs = w[12 * LANES + i] / w[_VG * LANES + i]
                plasma[p, step] = _resolved(w[3 * LANES + i] / w[_VG * LANES + i], 100.0)
                interstitial[p, step] = _resolved(gs, 100.0)
                # The sample itself counts: a step may begin outside and end inside.
                w[_OK * LANES + i] = 1.0 if PLASMA_LOW <= plasma[p, step] <= PLASMA_HIGH else 0.0
                if prescribed:
                    continue
                basal_out[p, step] = controls[p, C_BASAL] * SAMPLE_MINUTES
                today, tomorrow = sensitivity[p, start // 1440], sensitivity[p, start // 1440 + 1]
                factor = today + (tomorrow - today) * (of_day / 1440.0)
                w[_KP3_NOW * LANES + i] = w[_KP3 * LANES + i] * factor
                w[_VMX_NOW * LANES + i] = w[_VMX * LANES + i] * factor
                raw = gs + noise[p, step]
                counters[p, N_CLIP_LOW] += raw < CGM_LOW
                counters[p, N_CLIP_HIGH] += raw > CGM_HIGH
                seen = CGM_LOW if raw < CGM_LOW else (CGM_HIGH if raw > CGM_HIGH else np.floor(raw + 0.5))
                reading[i] = seen
                cgm[p, step] = seen
                if seen < controls[p, C_RESCUE_BELOW] and start - last_rescue[i] >= RESCUE_SPACING_MINUTES:
                    night = of_day >= NIGHT_STARTS or of_day < NIGHT_ENDS
                    chance = controls[p, C_RESCUE_NIGHT] if night else controls[p, C_RESCUE_DAY]
                    if seen < controls[p, C_URGENT_BELOW]:
                        chance = max(chance, controls[p, C_URGENT])
                    if rescue_draws[p, start // RESCUE_SPACING_MINUTES] < chance:
                        to_rescue[i] += controls[p, C_RESCUE_G]
                        last_rescue[i] = start
                        counters[p, N_RESCUES] += 1
            for minute in range(start, start + SAMPLE_MINUTES):
                for i in range(lanes):
                    p = first + i
                    if record:
                        for s in range(N_STATES):
                            states[p, minute, s] = w[s * LANES + i]
                    if prescribed:
                        insulin = insulin_u[p, minute]
                        eaten = carbs_g[p, minute]
                    else:
                        while next_meal[i] < meal_minute.shape[1] and meal_minute[p, next_meal[i]] <= minute:
                            to_eat[i] += meal_g[p, next_meal[i]]
                            next_meal[i] += 1
                        rescue = min(EATING_RATE_G_PER_MIN, to_rescue[i])
                        to_rescue[i] -= rescue
                        food = min(EATING_RATE_G_PER_MIN - rescue, to_eat[i])
                        to_eat[i] -= food
                        bolus = 0.0
                        while next_bolus[i] < bolus_minute.shape[1] and bolus_minute[p, next_bolus[i]] <= minute:
                            counted = bolus_g[p, next_bolus[i]]
                            dose = counted / controls[p, C_CR]
                            if reading[i] > controls[p, C_ABOVE]:
                                dose += (reading[i] - controls[p, C_TARGET]) / controls[p, C_CF]
                                counters[p, N_CORRECTIONS] += 1
                            bolus += _resolved(dose, 1.0 / BOLUS_INCREMENT_U)
                            announced_out[p, step] += counted
                            counters[p, N_BOLUSES] += 1
                            next_bolus[i] += 1
                        insulin = controls[p, C_BASAL] + bolus
                        eaten = food + rescue
                        bolus_out[p, step] += bolus
                        eaten_out[p, step] += food
                        rescue_out[p, step] += rescue
                    if eaten > 0.0:
                        if not was_eating[i]:
                            stomach[i] = w[i] + w[LANES + i]
                            taken[i] = 0.0
                        taken[i] += eaten * 1000.0
                        w[_INV_MEAL * LANES + i] = 1.0 / (stomach[i] + taken[i])
                    was_eating[i] = eaten > 0.0
                    w[_INSULIN * LANES + i] = insulin * PMOL_PER_UNIT / w[_BW * LANES + i]
                    w[_CARBS * LANES + i] = eaten * 1000.0
                _advance_minute(w, substeps)
            for i in range(lanes):
                flagged[first + i, step] = w[_OK * LANES + i] == 0.0
                counters[first + i, N_FLAGGED] += w[_OK * LANES + i] == 0.0
        if record:
            for i in range(lanes):
                for s in range(N_STATES):
                    states[first + i, n_samples * SAMPLE_MINUTES, s] = w[s * LANES + i]


def workspace() -> np.ndarray:
    """A workspace for ``run``."""
    return np.zeros(_ROWS * LANES)
