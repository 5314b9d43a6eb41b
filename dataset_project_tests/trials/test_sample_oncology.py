"""The sample's oncology studies: v2 records with every field in its place, gold in both schemes, no text used twice."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from dataset_project.trials.records.study import trial_of
from dataset_project.trials.schemes.loading import load_scheme

SCHEMES = ("therapeutic_area", "kras_g12d_crc")
FEWEST_STUDIES, FEWEST_OF_A_TIER, FEWEST_WORDS = 110, 6, 120
STOPPED = {"TERMINATED", "WITHDRAWN", "SUSPENDED"}
STATUSES = STOPPED | {
    "RECRUITING",
    "NOT_YET_RECRUITING",
    "ACTIVE_NOT_RECRUITING",
    "COMPLETED",
    "UNKNOWN",
    "AVAILABLE",
}
PHASES = {"NA", "EARLY_PHASE1", "PHASE1", "PHASE2", "PHASE3", "PHASE4"}
# Paths of the registry's v2 schema that every study of the sample has, and the type found there.
PATHS = {
    "identificationModule.nctId": str,
    "identificationModule.orgStudyIdInfo.id": str,
    "identificationModule.briefTitle": str,
    "identificationModule.officialTitle": str,
    "identificationModule.organization.fullName": str,
    "statusModule.overallStatus": str,
    "statusModule.statusVerifiedDate": str,
    "statusModule.startDateStruct.date": str,
    "sponsorCollaboratorsModule.leadSponsor.name": str,
    "sponsorCollaboratorsModule.leadSponsor.class": str,
    "descriptionModule.briefSummary": str,
    "conditionsModule.conditions": list,
    "designModule.studyType": str,
    "armsInterventionsModule.interventions": list,
    "eligibilityModule.eligibilityCriteria": str,
    "eligibilityModule.healthyVolunteers": bool,
    "eligibilityModule.sex": str,
    "eligibilityModule.minimumAge": str,
    "eligibilityModule.stdAges": list,
}
LONG_SENTENCE = 60  # characters; shorter ones ("Pregnancy or breast feeding") recur in every registry
STOCK_PHRASES: frozenset[str] = frozenset()  # none was needed; in lower case, for whoever adds a study
WORDS_IN_A_ROW = 10
_LIST_MARK = re.compile(r"^(?:[-*]|\(?(?:\d+(?:\.\d+)*|[a-z]|[ivx]+)[.)]|\d+\.\d+)\s+")
_SENTENCE_END = re.compile(r"\n|(?<=[.;])\s")


def _folder():
    return files("dataset_project.trials") / "resources" / "sample"


@cache
def _studies() -> tuple[dict[str, Any], ...]:
    lines = (_folder() / "oncology.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


@cache
def _gold() -> tuple[dict[str, str], ...]:
    text = (_folder() / "oncology_gold.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _at(study: dict[str, Any], path: str) -> Any:
    value: Any = study["protocolSection"]
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _id(study: dict[str, Any]) -> str:
    return study["protocolSection"]["identificationModule"]["nctId"]


def _sentences(criteria: str) -> set[str]:
    found = set()
    for sentence in _SENTENCE_END.split(criteria):
        plain = _LIST_MARK.sub("", sentence.strip()).strip(" .;").lower()
        if len(plain) > LONG_SENTENCE:
            found.add(plain)
    return found


def test_the_ids_are_the_samples_own_in_order_and_unique():
    ids = [_id(study) for study in _studies()]
    assert len(ids) >= FEWEST_STUDIES
    assert ids == [f"NCT{90000201 + place}" for place in range(len(ids))]


def test_every_line_is_compact_json():
    for line, study in zip(
        (_folder() / "oncology.jsonl").read_text(encoding="utf-8").splitlines(), _studies(), strict=True
    ):
        assert line == json.dumps(study, ensure_ascii=False, separators=(",", ":")), _id(study)


@pytest.mark.parametrize(("path", "kind"), PATHS.items())
def test_every_study_has_the_registrys_field(path: str, kind: type):
    wrong = [
        _id(study) for study in _studies() if not isinstance(_at(study, path), kind) or _at(study, path) in ("", [])
    ]
    assert wrong == []


def test_status_phase_and_enrolment_agree_with_each_other():
    for study in _studies():
        status, design = _at(study, "statusModule"), _at(study, "designModule")
        assert status["overallStatus"] in STATUSES, _id(study)
        assert ("whyStopped" in status) == (status["overallStatus"] in STOPPED), _id(study)
        interventional = design["studyType"] == "INTERVENTIONAL"
        assert bool(design.get("phases")) == interventional, _id(study)
        assert set(design.get("phases", ())) <= PHASES, _id(study)
        # As in the registry, expanded access has no number of participants.
        assert ("enrollmentInfo" in design) == (design["studyType"] != "EXPANDED_ACCESS"), _id(study)
        if status["overallStatus"] == "WITHDRAWN":
            assert design["enrollmentInfo"] == {"count": 0, "type": "ACTUAL"}, _id(study)


def test_mesh_headings_stand_beside_their_ancestors_under_one_number_each():
    numbers: dict[str, set[str]] = defaultdict(set)
    without = 0
    for study in _studies():
        browse = study["derivedSection"].get("conditionBrowseModule")
        if browse is None:
            without += 1
            continue
        own, above = ({each["term"] for each in browse[name]} for name in ("meshes", "ancestors"))
        assert own and not own & above, _id(study)
        for each in browse["meshes"] + browse["ancestors"]:
            assert re.fullmatch(r"D\d{6}(\d{3})?", each["id"]), each
            numbers[each["term"]].add(each["id"])
    assert 0 < without < len(_studies()) / 4
    assert {term: ids for term, ids in numbers.items() if len(ids) > 1} == {}
    assert len(set.union(*numbers.values())) == len(numbers)


def test_every_study_is_read_as_a_trial_without_loss():
    for study in _studies():
        trial = trial_of(study)
        assert trial.nct_id == _id(study)
        assert trial.conditions == tuple(_at(study, "conditionsModule.conditions"))
        assert len(trial.interventions) == len(_at(study, "armsInterventionsModule.interventions"))
        assert len(trial.eligibility_criteria.split()) >= FEWEST_WORDS, trial.nct_id


def test_two_studies_are_too_long_for_a_short_context():
    lengths = [len(_at(study, "eligibilityModule.eligibilityCriteria").split()) for study in _studies()]
    assert sum(length > 1500 for length in lengths) >= 2


@pytest.mark.parametrize("name", SCHEMES)
def test_every_study_has_gold_of_known_categories(name: str):
    known = {category.id for category in load_scheme(name).categories}
    rows = [row for row in _gold() if row["scheme"] == name]
    assert [row["nct_id"] for row in rows] == [_id(study) for study in _studies()]
    for row in rows:
        categories = row["categories"].split("|")
        assert set(categories) <= known and len(set(categories)) == len(categories), row
        assert len(categories) == 1 or row["note"], f"{row['nct_id']}: say why several are right"


def test_gold_is_of_the_two_schemes_and_nothing_else():
    assert {row["scheme"] for row in _gold()} == set(SCHEMES)
    assert set(_gold()[0]) == {"nct_id", "scheme", "categories", "note"}


def test_every_tier_is_represented():
    for tier in (category.id for category in load_scheme("kras_g12d_crc").categories):
        sure = [row for row in _gold() if row["scheme"] == "kras_g12d_crc" and row["categories"] == tier]
        assert len(sure) >= FEWEST_OF_A_TIER, tier


def test_no_long_sentence_of_the_criteria_is_shared_by_two_studies():
    where: dict[str, set[str]] = defaultdict(set)
    for study in _studies():
        for sentence in _sentences(_at(study, "eligibilityModule.eligibilityCriteria")):
            where[sentence].add(_id(study))
    shared = {sentence: ids for sentence, ids in where.items() if len(ids) > 1 and sentence not in STOCK_PHRASES}
    assert shared == {}


def test_no_run_of_words_is_shared_by_two_studies():
    where: dict[str, set[str]] = defaultdict(set)
    for study in _studies():
        for path in ("eligibilityModule.eligibilityCriteria", "descriptionModule.briefSummary"):
            words = re.findall(r"\w+", _at(study, path).lower())
            for start in range(len(words) - WORDS_IN_A_ROW + 1):
                where[" ".join(words[start : start + WORDS_IN_A_ROW])].add(_id(study))
    assert {run: ids for run, ids in where.items() if len(ids) > 1} == {}


def test_shared_sentences_are_found_whatever_mark_stands_before_them():
    sentence = "Sentence of the criteria that is long enough to be told from the usual short ones"
    marked = [f"1. {sentence}", f"* {sentence}.", f"(iv) {sentence};", f"2.1 {sentence}", f"b) {sentence}", sentence]
    assert {frozenset(_sentences(text)) for text in marked} == {frozenset({sentence.lower()})}
