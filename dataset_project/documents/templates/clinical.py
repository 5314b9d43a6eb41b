"""The shipped clinical content: conditions, medications, analytes, procedures, vaccines, and lists of phrases.

Reading and typing it, once per process, belongs here; choosing from it for one document belongs to `encounters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

CHILD = 12
"""Years up to which intervals and drugs of children apply."""

Setting = Literal["inpatient", "clinic"]


@dataclass(frozen=True)
class Imaging:
    """A report on images: what was done, what is seen, what it means."""

    modality: str
    exam: str
    findings: tuple[str, ...]
    impression: tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    """A diagnosis with what goes with it. ``icd10``: ICD-10-CM. ``ages``: years, both included.

    ``sex``: F, M, or empty for both. ``labs``: analyte key to the usual range in this condition, in the analyte's unit.
    """

    key: str
    name: str
    short: str
    icd10: str
    sex: str
    ages: tuple[int, int]
    specialty: str
    settings: tuple[str, ...]
    complaints: tuple[str, ...]
    history: tuple[str, ...]
    findings: tuple[str, ...]
    course: tuple[str, ...]
    plan: tuple[str, ...]
    medications: tuple[str, ...]
    labs: Mapping[str, tuple[float, float]]
    imaging: tuple[Imaging, ...]
    procedures: tuple[str, ...]
    comorbid: tuple[str, ...]
    follow_up: str
    chronic: Mapping[str, str]

    def accompanying(self) -> Condition:
        """Itself as it is told and coded beside another main diagnosis."""
        return replace(self, **self.chronic) if self.chronic else self

    def suits(self, sex: str, age: int, setting: str | None = None) -> bool:
        """Whether a person of this sex (F, M) and age (years) can have it, in this setting if one is asked for."""
        low, high = self.ages
        return self.sex in ("", sex) and low <= age <= high and (setting is None or setting in self.settings)


@dataclass(frozen=True)
class Medication:
    """A drug as it is prescribed. ``schedule``: of the DEA, empty for none."""

    key: str
    name: str
    doses: tuple[str, ...]
    form: str
    sig: tuple[str, ...]
    quantity: tuple[int, ...]
    refills: int
    use: str
    schedule: str


@dataclass(frozen=True)
class Analyte:
    """What a laboratory measures: LOINC code, unit, reference intervals of men, women, children; decimals printed."""

    key: str
    name: str
    loinc: str
    unit: str
    male: tuple[float, float]
    female: tuple[float, float]
    child: tuple[float, float] | None
    decimals: int
    panel: str

    def interval(self, sex: str, age: int) -> tuple[float, float]:
        """Reference interval, in `unit`, at an age in years."""
        if self.child and age < CHILD:
            return self.child
        return self.female if sex == "F" else self.male


@dataclass(frozen=True)
class Procedure:
    """A billable service. ``code`` is a mock one (see the file). ``charge``: dollars, from, to. ``place``: CMS code."""

    key: str
    name: str
    code: str
    charge: tuple[int, int]
    place: str
    revenue: str


@dataclass(frozen=True)
class Vaccine:
    """A vaccine. ``cvx``: CDC code. ``ages``: years at which it is given; ``since``: year of first use."""

    key: str
    name: str
    cvx: str
    ages: tuple[int, int]
    route: str
    since: int
    dose: str
    disease: str


def _read(name: str) -> dict[str, Any]:
    import yaml

    text = files("dataset_project.documents").joinpath("resources", "clinical", name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _condition(key: str, entry: dict[str, Any]) -> Condition:
    lists = ("settings", "complaints", "history", "findings", "course", "plan", "medications", "procedures", "comorbid")
    images = tuple(
        Imaging(each["modality"], each["exam"], tuple(each["findings"]), tuple(each["impression"]))
        for each in entry["imaging"]
    )
    return Condition(
        key=key,
        sex=entry.get("sex", ""),
        chronic=entry.get("chronic", {}),
        ages=tuple(entry["ages"]),
        labs={name: tuple(limits) for name, limits in entry["labs"].items()},
        imaging=images,
        **{name: tuple(entry[name]) for name in lists},
        **{name: entry[name] for name in ("name", "short", "icd10", "specialty", "follow_up")},
    )


@cache
def conditions() -> Mapping[str, Condition]:
    """All conditions by key."""
    names = ("conditions_abdomen_metabolic.yaml", "conditions_heart_lung.yaml", "conditions_other.yaml")
    return {key: _condition(key, entry) for name in names for key, entry in _read(name).items()}


@cache
def medications() -> Mapping[str, Medication]:
    """All medications by key."""
    return {
        key: Medication(
            key,
            each["name"],
            tuple(each["doses"]),
            each["form"],
            tuple(each["sig"]),
            tuple(each["quantity"]),
            each["refills"],
            each["use"],
            each.get("schedule", ""),
        )
        for key, each in _read("medications.yaml").items()
    }


@cache
def analytes() -> Mapping[str, Analyte]:
    """All analytes by key."""
    made = {}
    for key, each in _read("labs.yaml").items():
        male = (float(each["low"]), float(each["high"]))
        low, high = each.get("female", male)
        made[key] = Analyte(
            key,
            each["name"],
            each["loinc"],
            each["unit"],
            male,
            (float(low), float(high)),
            tuple(each["child"]) if "child" in each else None,
            each["decimals"],
            each["panel"],
        )
    return made


@cache
def procedures() -> Mapping[str, Procedure]:
    """All procedures by key."""
    return {
        key: Procedure(key, each["name"], each["code"], tuple(each["charge"]), each["loc"], each["revenue"])
        for key, each in _read("procedures.yaml").items()
    }


@cache
def vaccines() -> Mapping[str, Vaccine]:
    """All vaccines by key."""
    return {key: Vaccine(key, **{**each, "ages": tuple(each["ages"])}) for key, each in _read("vaccines.yaml").items()}


@cache
def phrases(name: str) -> tuple[str, ...]:
    """A list of sentence fragments (`phrases.yaml`, `lookalikes_text.yaml`); KeyError for none of that name."""
    return tuple(_phrases()[name])


@cache
def frames() -> Mapping[str, str]:
    """Kind of look-alike (`identities.lookalikes`) → a sentence around it."""
    return _phrases()["frames"]


@cache
def _phrases() -> Mapping[str, Any]:
    return {**_read("phrases.yaml"), **_read("phrases_office.yaml"), **_read("lookalikes_text.yaml")}


@cache
def office() -> Mapping[str, Any]:
    """Office prose (`office.yaml`)."""
    return _read("office.yaml")


@cache
def suitable(sex: str, age: int, setting: str | None) -> tuple[Condition, ...]:
    """Conditions that a person of this sex and age can have in this setting; of any setting when none fits.

    Falls back on the conditions of the nearest age, so it is never empty.
    """
    fits = tuple(each for each in conditions().values() if each.suits(sex, age, setting))
    fits = fits or tuple(each for each in conditions().values() if each.suits(sex, age))
    if fits:
        return fits
    of_sex = [each for each in conditions().values() if each.sex in ("", sex)]
    distance = {each.key: max(each.ages[0] - age, age - each.ages[1]) for each in of_sex}
    nearest = min(distance.values())
    return tuple(each for each in of_sex if distance[each.key] == nearest)
