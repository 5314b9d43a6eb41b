"""What happened to the patient: a coherent clinical picture for a person of given sex and age.

Diagnosis, complaint, course, drugs, results and plan fit each other. Nothing here identifies anyone: the same picture
is written into a positive document and its negative twin. Sentences with identity slots belong to `draft`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from dataset_project.documents.templates.clinical import (
    CHILD,
    Analyte,
    Condition,
    Imaging,
    Medication,
    Procedure,
    analytes,
    conditions,
    medications,
    phrases,
    procedures,
    suitable,
)

T = TypeVar("T")

# Solid forms and drugs that are not given to young children, and what is written instead (None: nothing).
_FOR_CHILDREN: Mapping[str, str | None] = {
    "acetaminophen": "acetaminophen_liquid",
    "amoxicillin": "amoxicillin_liquid",
    "amoxicillin_clavulanate": "amoxicillin_liquid",
    "ibuprofen": None,
    "oxycodone": None,
    "doxycycline": None,
}
ADULT, OLD = 18, 66
"""Years from which adult wording is used, and people are retired."""


def choice(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of ``options``. Raises IndexError when there are none."""
    return options[int(rng.random() * len(options))]


def sample(rng: np.random.Generator, options: Sequence[T], count: int) -> tuple[T, ...]:
    """Up to ``count`` different ones of ``options``, in their own order."""
    keys = rng.random(len(options))
    chosen = sorted(sorted(range(len(options)), key=keys.__getitem__)[:count])
    return tuple(options[at] for at in chosen)


@dataclass(frozen=True)
class Order:
    """A drug with dose, directions, quantity and refills."""

    medication: Medication
    dose: str
    sig: str
    quantity: int
    refills: int

    @property
    def label(self) -> str:
        """Name and dose."""
        return f"{self.medication.name} {self.dose}"


@dataclass(frozen=True)
class Result:
    """A measured value, printed; ``flag``: H, L or empty."""

    analyte: Analyte
    text: str
    low: float
    high: float
    flag: str

    @property
    def interval(self) -> str:
        """Reference interval, printed."""
        places = self.analyte.decimals
        if self.low <= 0:
            return f"< {self.high:.{places}f}"
        return f"{self.low:.{places}f} - {self.high:.{places}f}"


@dataclass(frozen=True)
class Clinical:
    """A clinical picture. Sentences hold the word slots {He} {he} {his} {him} only."""

    sex: str
    age: int
    condition: Condition
    comorbid: tuple[Condition, ...]
    complaint: str
    history: tuple[str, ...]
    findings: tuple[str, ...]
    course: tuple[str, ...]
    plan: tuple[str, ...]
    orders: tuple[Order, ...]
    results: tuple[Result, ...]
    imaging: Imaging
    procedures: tuple[Procedure, ...]
    vitals: Mapping[str, str]
    allergy: str

    @property
    def diagnoses(self) -> tuple[Condition, ...]:
        """The main diagnosis, then the others."""
        return (self.condition, *self.comorbid)

    @property
    def comorbid_text(self) -> str:
        """The other diagnoses within a sentence."""
        names = [each.short for each in self.comorbid]
        if not names:
            return "no chronic illness"
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def order_of(medication: Medication, rng: np.random.Generator) -> Order:
    """A drug as somebody might prescribe it."""
    dose, sig, quantity = (choice(rng, each) for each in (medication.doses, medication.sig, medication.quantity))
    return Order(medication, dose, sig, quantity, medication.refills)


def _orders(condition: Condition, others: tuple[Condition, ...], age: int, rng: np.random.Generator) -> list[Order]:
    keys = list(condition.medications) + [key for other in others for key in other.medications[:2]]
    if age < CHILD:
        keys = [replaced for key in keys if (replaced := _FOR_CHILDREN.get(key, key)) is not None]
    return [order_of(medications()[key], rng) for key in dict.fromkeys(keys)][:9]


def egfr(creatinine: float, age: int, sex: str) -> float:
    """mL/min/1.73 m2 from creatinine in mg/dL: CKD-EPI 2021 (Inker et al., N Engl J Med 2021;385:1737)."""
    kappa, alpha = (0.7, -0.241) if sex == "F" else (0.9, -0.302)
    ratio = creatinine / kappa
    rate = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age
    return rate * 1.012 if sex == "F" else rate


def _printed(analyte: Analyte, value: float, sex: str, age: int) -> Result:
    low, high = analyte.interval(sex, age)
    text = f"{value:.{analyte.decimals}f}"
    shown = float(text)
    return Result(analyte, text, low, high, "L" if shown < low else "H" if shown > high else "")


_BASE = ("sodium", "potassium", "chloride", "bicarbonate", "bun", "creatinine", "glucose", "calcium")
_COUNT = ("wbc", "hemoglobin", "hematocrit", "platelets")


def _results(condition: Condition, sex: str, age: int, rng: np.random.Generator) -> tuple[Result, ...]:
    known = analytes()
    keys = (
        dict.fromkeys((*_BASE, *_COUNT, *condition.labs)) if age >= ADULT else dict.fromkeys((*condition.labs, *_COUNT))
    )
    if "creatinine" in keys and age >= ADULT:
        keys["egfr"] = None
    if "ldl" in keys:
        keys |= dict.fromkeys(("cholesterol", "hdl", "triglycerides"))
    parts = dict(zip(keys, rng.random(len(keys)), strict=True))
    values: dict[str, float] = {}
    for key, part in parts.items():
        low, high = condition.labs.get(key) or known[key].interval(sex, age)
        # Healthy values lie in the middle of the interval rather than at its ends.
        values[key] = low + (high - low) * (part if key in condition.labs else 0.2 + 0.6 * part)
    if "egfr" in values:
        values["egfr"] = min(egfr(values["creatinine"], age, sex), 120)
    if "hematocrit" in values and "hematocrit" not in condition.labs:
        values["hematocrit"] = values["hemoglobin"] * (2.92 + 0.2 * parts["hematocrit"])
    if "cholesterol" in values and "cholesterol" not in condition.labs:
        # Friedewald, turned round.
        values["cholesterol"] = values["ldl"] + values["hdl"] + values["triglycerides"] / 5
    results = [_printed(known[key], value, sex, age) for key, value in values.items()]
    panels = list(dict.fromkeys(each.panel for each in known.values()))
    return tuple(sorted(results, key=lambda each: panels.index(each.analyte.panel)))


_ACUTE = {
    "pneumonia",
    "cellulitis",
    "appendicitis",
    "cholecystitis",
    "diverticulitis",
    "otitis",
    "strep",
    "bronchiolitis",
}


def _vitals(condition: Condition, age: int, sex: str, rng: np.random.Generator) -> dict[str, str]:
    part = rng.random(7)
    fever = condition.key in _ACUTE
    if age < 3:
        pressure, pulse, breaths, weight = "88/52", 118 + part[1] * 34, 30 + part[2] * 18, 5 + age * 3 + part[4] * 2
    elif age < CHILD:
        pressure, pulse, breaths, weight = "98/60", 92 + part[1] * 26, 20 + part[2] * 8, 8 + age * 2.6 + part[4] * 4
    else:
        raised = 18 if condition.key in ("hypertension", "preeclampsia", "stroke", "ckd") else 0
        pressure = f"{108 + raised + part[0] * 30:.0f}/{64 + raised / 2 + part[0] * 18:.0f}"
        pulse, breaths = 64 + part[1] * 30 + 16 * fever, 14 + part[2] * 6 + 4 * fever
        weight = (58 if sex == "F" else 70) + part[4] * 38 - (14 if age < 16 else 0)
    oxygen = (
        90 + part[5] * 5
        if condition.specialty.startswith("Pulmon") or condition.key == "bronchiolitis"
        else 96 + part[5] * 3
    )
    return {
        "Blood pressure": pressure,
        "Pulse": f"{pulse:.0f}",
        "Temperature": f"{36.4 + part[3] * 0.7 + (1.4 if fever else 0):.1f} C",
        "Respirations": f"{breaths:.0f}",
        "Oxygen saturation": f"{oxygen:.0f} %",
        "Weight": f"{weight:.1f} kg",
        "Pain": f"{int(part[6] * 7)}/10",
    }


_PLAIN_FILM = Imaging(
    "XR",
    "Chest radiograph, two views",
    (
        "The lungs are clear. No effusion or pneumothorax.",
        "The cardiomediastinal contours are normal.",
        "No acute osseous abnormality.",
    ),
    ("No acute cardiopulmonary disease.",),
)


def draw_clinical(
    sex: str, age: int, rng_for: Callable[[str], np.random.Generator], setting: str | None = None, images: bool = False
) -> Clinical:
    """A picture for a person of ``sex`` (F, M) and ``age`` (years). ``images``: of a condition with imaging, if any.

    Streams: ``clinical/condition``, ``clinical/text``, ``clinical/orders``, ``clinical/results``.
    """
    rng = rng_for("clinical/condition")
    fits = suitable(sex, age, setting)
    with_images = tuple(each for each in fits if each.imaging) if images else ()
    condition = choice(rng, with_images or fits)
    others = [conditions()[key].accompanying() for key in condition.comorbid]
    comorbid = sample(rng, [each for each in others if each.suits(sex, age)], 1 + int(rng.random() * 3))
    text = rng_for("clinical/text")
    orders = rng_for("clinical/orders")
    results = rng_for("clinical/results")
    course = condition.course[: 2 + int(text.random() * 3)] if len(condition.course) > 2 else condition.course
    services = tuple(procedures()[key] for key in condition.procedures)
    return Clinical(
        sex=sex,
        age=age,
        condition=condition,
        comorbid=comorbid,
        complaint=choice(text, condition.complaints),
        history=sample(text, condition.history, 2 + int(text.random() * 3)),
        findings=condition.findings,
        course=course,
        plan=sample(text, condition.plan, 4 + int(text.random() * 2)),
        orders=tuple(_orders(condition, comorbid, age, orders)),
        results=_results(condition, sex, age, results),
        imaging=choice(text, condition.imaging) if condition.imaging else _PLAIN_FILM,
        procedures=services,
        vitals=_vitals(condition, age, sex, results),
        allergy=choice(text, phrases("allergies")),
    )
