"""One study of the registry's v2 schema → a trial. Whether the trial is any good is decided in `intake`.

Field paths: https://clinicaltrials.gov/data-api/about-api/study-data-structure
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataset_project.trials.records.texts import clean
from dataset_project.trials.trial import Trial

# The registry's names of the pieces read here; asking for these alone makes its pages some thirty times smaller.
PIECES = (
    "NCTId",
    "BriefTitle",
    "OfficialTitle",
    "OverallStatus",
    "WhyStopped",
    "BriefSummary",
    "Condition",
    "Keyword",
    "StudyType",
    "Phase",
    "InterventionType",
    "InterventionName",
    "EligibilityCriteria",
    "ConditionMeshTerm",
    "ConditionAncestorTerm",
)
_NAMES = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


class NotAStudy(ValueError):
    """A record that is no study: which field is of which wrong type."""


def trial_of(study: Any) -> Trial:
    """The trial of a v2 study, as parsed from JSON. The id is stripped and in upper case, otherwise unchecked.

    Absent (or null) modules and fields are empty; fields that are not read may be anything. Raises NotAStudy, naming
    the path, for a module or field of another type than the schema's.
    """
    if not isinstance(study, dict):
        raise NotAStudy(f"the record is {kind_of(study)}, not an object")
    protocol = _object(study, "protocolSection", "")
    path = "protocolSection."
    identification = _object(protocol, "identificationModule", path)
    status = _object(protocol, "statusModule", path)
    description = _object(protocol, "descriptionModule", path)
    conditions = _object(protocol, "conditionsModule", path)
    design = _object(protocol, "designModule", path)
    arms = _object(protocol, "armsInterventionsModule", path)
    eligibility = _object(protocol, "eligibilityModule", path)
    browse = _object(_object(study, "derivedSection", ""), "conditionBrowseModule", "derivedSection.")
    of = "protocolSection.identificationModule."
    return Trial(
        nct_id=_text(identification, "nctId", of).upper(),
        brief_title=_text(identification, "briefTitle", of),
        official_title=_text(identification, "officialTitle", of),
        overall_status=_text(status, "overallStatus", "protocolSection.statusModule."),
        why_stopped=_text(status, "whyStopped", "protocolSection.statusModule."),
        study_type=_text(design, "studyType", "protocolSection.designModule."),
        phases=_texts(design, "phases", "protocolSection.designModule."),
        conditions=_texts(conditions, "conditions", "protocolSection.conditionsModule."),
        keywords=_texts(conditions, "keywords", "protocolSection.conditionsModule."),
        mesh_terms=_terms(browse, "meshes"),
        mesh_ancestors=_terms(browse, "ancestors"),
        interventions=_interventions(arms),
        brief_summary=_text(description, "briefSummary", "protocolSection.descriptionModule."),
        eligibility_criteria=_text(eligibility, "eligibilityCriteria", "protocolSection.eligibilityModule."),
    )


def id_of(study: Any) -> str | None:
    """The id a record carries, wherever the rest of it is wrong; None where there is none."""
    for name in ("protocolSection", "identificationModule", "nctId"):
        if not isinstance(study, dict):
            return None
        study = study.get(name)
    return study.strip().upper() or None if isinstance(study, str) else None


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    return _NAMES.get(type(value), type(value).__name__)


def _object(of: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    value = of.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotAStudy(f"{path}{name} is {kind_of(value)}, not an object")
    return value


def _list(of: Mapping[str, Any], name: str, path: str) -> list[Any]:
    value = of.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise NotAStudy(f"{path}{name} is {kind_of(value)}, not a list")
    return value


def _text(of: Mapping[str, Any], name: str, path: str) -> str:
    value = of.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise NotAStudy(f"{path}{name} is {kind_of(value)}, not text")
    return clean(value)


def _texts(of: Mapping[str, Any], name: str, path: str) -> tuple[str, ...]:
    found = []
    for place, value in enumerate(_list(of, name, path)):
        if not isinstance(value, str):
            raise NotAStudy(f"{path}{name}[{place}] is {kind_of(value)}, not text")
        if text := clean(value):
            found.append(text)
    return tuple(found)


def _terms(browse: Mapping[str, Any], name: str) -> tuple[str, ...]:
    path = "derivedSection.conditionBrowseModule."
    found = []
    for place, each in enumerate(_list(browse, name, path)):
        where = f"{path}{name}[{place}]"
        if not isinstance(each, dict):
            raise NotAStudy(f"{where} is {kind_of(each)}, not an object")
        if text := _text(each, "term", f"{where}."):
            found.append(text)
    return tuple(found)


def _interventions(arms: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    path = "protocolSection.armsInterventionsModule."
    found = []
    for place, each in enumerate(_list(arms, "interventions", path)):
        where = f"{path}interventions[{place}]"
        if not isinstance(each, dict):
            raise NotAStudy(f"{where} is {kind_of(each)}, not an object")
        pair = (_text(each, "type", f"{where}."), _text(each, "name", f"{where}."))
        if any(pair):
            found.append(pair)
    return tuple(found)
