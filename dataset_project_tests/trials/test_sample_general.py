"""The sample's studies outside oncology: v2 records with each field in its place, no text used twice, gold for each."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

FOLDER = files("dataset_project.trials") / "resources" / "sample"
IDS = [f"NCT9{number:07d}" for number in range(1, 131)]

CATEGORIES = {
    "infectious", "neoplasms", "blood_immune", "endocrine_metabolic", "mental", "nervous", "eye_ear", "circulatory",
    "respiratory", "digestive", "skin", "musculoskeletal", "genitourinary", "pregnancy_perinatal", "injury", "other",
}  # fmt: skip

# Path in the ClinicalTrials.gov v2 study record -> (type, whether every study has it). `[]` steps into a list.
FIELDS: dict[str, tuple[type, bool]] = {
    "hasResults": (bool, True),
    "protocolSection.identificationModule.nctId": (str, True),
    "protocolSection.identificationModule.orgStudyIdInfo.id": (str, True),
    "protocolSection.identificationModule.organization.fullName": (str, True),
    "protocolSection.identificationModule.organization.class": (str, True),
    "protocolSection.identificationModule.briefTitle": (str, True),
    "protocolSection.identificationModule.officialTitle": (str, True),
    "protocolSection.statusModule.overallStatus": (str, True),
    "protocolSection.statusModule.whyStopped": (str, False),
    "protocolSection.statusModule.statusVerifiedDate": (str, True),
    "protocolSection.statusModule.startDateStruct.date": (str, True),
    "protocolSection.statusModule.startDateStruct.type": (str, True),
    "protocolSection.sponsorCollaboratorsModule.leadSponsor.name": (str, True),
    "protocolSection.sponsorCollaboratorsModule.leadSponsor.class": (str, True),
    "protocolSection.descriptionModule.briefSummary": (str, True),
    "protocolSection.conditionsModule.conditions[]": (str, True),
    "protocolSection.conditionsModule.keywords[]": (str, False),
    "protocolSection.designModule.studyType": (str, True),
    "protocolSection.designModule.phases[]": (str, False),
    "protocolSection.designModule.enrollmentInfo.count": (int, True),
    "protocolSection.designModule.enrollmentInfo.type": (str, True),
    "protocolSection.armsInterventionsModule.interventions[].type": (str, False),
    "protocolSection.armsInterventionsModule.interventions[].name": (str, False),
    "protocolSection.armsInterventionsModule.interventions[].description": (str, False),
    "protocolSection.eligibilityModule.eligibilityCriteria": (str, True),
    "protocolSection.eligibilityModule.healthyVolunteers": (bool, True),
    "protocolSection.eligibilityModule.sex": (str, True),
    "protocolSection.eligibilityModule.minimumAge": (str, False),
    "protocolSection.eligibilityModule.maximumAge": (str, False),
    "protocolSection.eligibilityModule.stdAges[]": (str, True),
    "derivedSection.miscInfoModule.versionHolder": (str, True),
    "derivedSection.conditionBrowseModule.meshes[].id": (str, False),
    "derivedSection.conditionBrowseModule.meshes[].term": (str, False),
    "derivedSection.conditionBrowseModule.ancestors[].id": (str, False),
    "derivedSection.conditionBrowseModule.ancestors[].term": (str, False),
}

# The registry's own enumerations, and what the text of a dated or counted field looks like.
DATE = r"20\d\d-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?"
SPONSOR = "INDUSTRY|OTHER|OTHER_GOV|NETWORK|NIH|FED|INDIV"
VALUES = {
    "protocolSection.identificationModule.organization.class": SPONSOR,
    "protocolSection.sponsorCollaboratorsModule.leadSponsor.class": SPONSOR,
    "protocolSection.statusModule.overallStatus": "COMPLETED|RECRUITING|NOT_YET_RECRUITING|ACTIVE_NOT_RECRUITING|"
    "ENROLLING_BY_INVITATION|TERMINATED|WITHDRAWN|SUSPENDED|UNKNOWN",
    "protocolSection.statusModule.statusVerifiedDate": DATE,
    "protocolSection.statusModule.startDateStruct.date": DATE,
    "protocolSection.statusModule.startDateStruct.type": "ACTUAL|ESTIMATED",
    "protocolSection.designModule.studyType": "INTERVENTIONAL|OBSERVATIONAL",
    "protocolSection.designModule.phases[]": "NA|EARLY_PHASE1|PHASE[1-4]",
    "protocolSection.designModule.enrollmentInfo.type": "ACTUAL|ESTIMATED",
    "protocolSection.armsInterventionsModule.interventions[].type": "DRUG|BIOLOGICAL|DEVICE|PROCEDURE|BEHAVIORAL|OTHER|"
    "DIETARY_SUPPLEMENT|COMBINATION_PRODUCT|DIAGNOSTIC_TEST|GENETIC|RADIATION",
    "protocolSection.eligibilityModule.sex": "ALL|FEMALE|MALE",
    "protocolSection.eligibilityModule.minimumAge": r"\d+ (Years?|Months?|Weeks?|Days?)",
    "protocolSection.eligibilityModule.maximumAge": r"\d+ (Years?|Months?|Weeks?|Days?)",
    "protocolSection.eligibilityModule.stdAges[]": "CHILD|ADULT|OLDER_ADULT",
    "derivedSection.conditionBrowseModule.meshes[].id": r"D\d{6}|D\d{9}",
    "derivedSection.conditionBrowseModule.ancestors[].id": r"D\d{6}|D\d{9}",
}

STOPPED = {"TERMINATED", "WITHDRAWN", "SUSPENDED"}
SENTENCE = 60  # characters: shorter ones ("Pregnant or breastfeeding") are common property
STOCK_PHRASES: frozenset[str] = frozenset()  # none was needed; whoever adds a study may list at most MOST_STOCK of them
MOST_STOCK = 5
WORDS_IN_A_ROW = 10


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return (FOLDER / "general.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def studies(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def gold() -> list[dict[str, str]]:
    return list(csv.DictReader((FOLDER / "general_gold.csv").read_text(encoding="utf-8").splitlines()))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    else:
        yield path, value


def _criteria(study: dict[str, Any]) -> str:
    return study["protocolSection"]["eligibilityModule"]["eligibilityCriteria"]


def _id(study: dict[str, Any]) -> str:
    return study["protocolSection"]["identificationModule"]["nctId"]


def _years(age: str | None, without: float) -> float:
    if age is None:
        return without
    count, unit = age.split()
    return int(count) / {"Y": 1, "M": 12, "W": 52, "D": 365}[unit[0]]


def test_compact_lines_sorted_by_id(lines, studies):
    assert [_id(study) for study in studies] == IDS
    compact = [json.dumps(study, ensure_ascii=False, separators=(",", ":")) for study in studies]
    assert compact == lines


def test_every_field_is_where_the_registry_puts_it(studies):
    used = set()
    for study in studies:
        found = list(_leaves(study))
        paths = {path for path, _ in found}
        assert paths <= FIELDS.keys(), f"{_id(study)}: {paths - FIELDS.keys()}"
        missing = {path for path, (_, always) in FIELDS.items() if always} - paths
        assert not missing, f"{_id(study)} lacks {missing}"
        for path, value in found:
            assert type(value) is FIELDS[path][0], f"{_id(study)}: {path} is {value!r}"
            if isinstance(value, str):
                assert value and value == value.strip(), f"{_id(study)}: {path} is {value!r}"
            if path in VALUES:
                assert re.fullmatch(VALUES[path], value), f"{_id(study)}: {path} is {value!r}"
        used |= paths
    assert used == FIELDS.keys(), "a field no study has is not tried by the sample"


def test_status_phase_ages_and_numbers_agree(studies):
    for study in studies:
        protocol, name = study["protocolSection"], _id(study)
        status, design = protocol["statusModule"], protocol["designModule"]
        assert (status["overallStatus"] in STOPPED) == ("whyStopped" in status), name
        assert (design["studyType"] == "INTERVENTIONAL") == ("phases" in design), name
        assert "armsInterventionsModule" in protocol or design["studyType"] == "OBSERVATIONAL", name
        enrolled = design["enrollmentInfo"]
        assert (enrolled["count"] == 0) == (status["overallStatus"] == "WITHDRAWN"), name
        if status["overallStatus"] in {"COMPLETED", "TERMINATED"}:
            assert enrolled["type"] == "ACTUAL", name
        if status["overallStatus"] in {"RECRUITING", "NOT_YET_RECRUITING"}:
            assert enrolled["type"] == "ESTIMATED", name
        if status["overallStatus"] == "NOT_YET_RECRUITING":
            assert status["startDateStruct"]["date"] > status["statusVerifiedDate"], name
        eligible = protocol["eligibilityModule"]
        youngest, oldest = _years(eligible.get("minimumAge"), 0), _years(eligible.get("maximumAge"), 200)
        groups = {"CHILD": (0, 18), "ADULT": (18, 65), "OLDER_ADULT": (65, 201)}
        expected = [key for key, (low, high) in groups.items() if youngest < high and oldest >= low]
        assert youngest < oldest and eligible["stdAges"] == expected, name


def test_one_mesh_id_per_heading_and_no_heading_above_itself(studies):
    ids: dict[str, set[str]] = defaultdict(set)
    unmapped = 0
    for study in studies:
        browse = study["derivedSection"].get("conditionBrowseModule")
        if browse is None:
            unmapped += 1
            continue
        terms = {heading["term"] for heading in browse["meshes"]}
        above = [heading["term"] for heading in browse["ancestors"]]
        assert terms and not terms & set(above) and len(above) == len(set(above)), _id(study)
        for heading in browse["meshes"] + browse["ancestors"]:
            ids[heading["term"]].add(heading["id"])
    assert [term for term, numbers in ids.items() if len(numbers) > 1] == []
    assert len(set().union(*ids.values())) == len(ids), "two headings with one id"
    assert 8 <= unmapped <= 26, "the registry maps most conditions, not all"


def test_gold_for_every_study_with_every_area_outside_neoplasms(gold):
    assert list(gold[0]) == ["nct_id", "scheme", "categories", "note"]
    assert [row["nct_id"] for row in gold] == IDS
    assert {row["scheme"] for row in gold} == {"therapeutic_area"}
    first: Counter[str] = Counter()
    for row in gold:
        accepted = row["categories"].split("|")
        assert set(accepted) <= CATEGORIES - {"neoplasms"} and len(accepted) == len(set(accepted)), row
        assert len(accepted) == 1 or row["note"], f"{row['nct_id']}: say why several are right"
        first[accepted[0]] += 1
    assert set(first) == CATEGORIES - {"neoplasms"}
    assert all(7 <= count <= 12 for count in first.values()), first
    assert sum("|" in row["categories"] for row in gold) <= 26, "a gold set that accepts all measures nothing"


def test_mixture_of_the_registry(studies):
    protocols = [study["protocolSection"] for study in studies]
    types = Counter(each["designModule"]["studyType"] for each in protocols)
    assert types["OBSERVATIONAL"] >= 13
    status = Counter(each["statusModule"]["overallStatus"] for each in protocols)
    assert status["COMPLETED"] >= 52 and min(status.values()) >= 1 and len(status) == 9
    kinds = {
        each["type"]
        for protocol in protocols
        for each in protocol.get("armsInterventionsModule", {"interventions": []})["interventions"]
    }
    assert len(kinds) == 11
    vague = {"Quality of Life", "Cancer", "Fatigue", "Healthy Volunteers", "Chest Pain"}
    assert vague <= {condition for each in protocols for condition in each["conditionsModule"]["conditions"]}


def test_criteria_are_long_enough_to_read_and_some_long_enough_to_split(studies):
    lengths = {_id(study): len(_criteria(study).split()) for study in studies}
    very_long = [name for name, words in lengths.items() if words > 1_500]
    assert len(very_long) == 2
    assert {name: words for name, words in lengths.items() if not 120 <= words <= 400 and name not in very_long} == {}
    without_headings = [study for study in studies if "inclusion criteria" not in _criteria(study).casefold()]
    assert len(without_headings) >= 5, "not every record has the usual headings"


def test_no_sentence_is_shared_by_two_studies(studies):
    assert len(STOCK_PHRASES) <= MOST_STOCK
    seen: dict[str, set[str]] = defaultdict(set)
    for study in studies:
        for sentence in re.split(r"\n|(?<=[.;:])\s+", _criteria(study)):
            plain = (
                re.sub(r"^\W*(?:[0-9]+[.)]|[A-Za-z][0-9]*[.)]|[A-Z][0-9]+\.)?\s*", "", sentence)
                .casefold()
                .rstrip(" .;")
            )
            if len(plain) > SENTENCE and plain not in STOCK_PHRASES:
                seen[plain].add(_id(study))
    assert len(seen) > 800
    assert {text: names for text, names in seen.items() if len(names) > 1} == {}


def test_no_run_of_words_is_shared_by_two_studies(studies):
    seen: dict[str, set[str]] = defaultdict(set)
    for study in studies:
        protocol = study["protocolSection"]
        for text in (_criteria(study), protocol["descriptionModule"]["briefSummary"]):
            words = re.findall(r"\w+", text.casefold())
            for start in range(len(words) - WORDS_IN_A_ROW + 1):
                seen[" ".join(words[start : start + WORDS_IN_A_ROW])].add(_id(study))
    assert {run: names for run, names in seen.items() if len(names) > 1} == {}
    for module, field in (("identificationModule", "briefTitle"), ("identificationModule", "officialTitle")):
        titles = [study["protocolSection"][module][field] for study in studies]
        assert len({title.casefold() for title in titles}) == len(titles)
