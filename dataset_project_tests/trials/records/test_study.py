from __future__ import annotations

import pytest

from dataset_project.trials.records.study import NotAStudy, id_of, trial_of
from dataset_project.trials.trial import Trial
from dataset_project_tests.trials.records.studies import nct, study


def test_every_field_is_read_from_its_path():
    assert trial_of(study(1)) == Trial(
        nct_id=nct(1),
        brief_title="Trial 1 of velotumab",
        official_title="A randomised trial of velotumab, number 1",
        overall_status="TERMINATED",
        why_stopped="Slow accrual",
        study_type="INTERVENTIONAL",
        phases=("PHASE1", "PHASE2"),
        conditions=("Asthma", "Wheezing"),
        keywords=("velotumab",),
        mesh_terms=("Asthma",),
        mesh_ancestors=("Bronchial Diseases",),
        interventions=(("DRUG", "velotumab"), ("OTHER", "placebo")),
        brief_summary="Whether velotumab helps.",
        eligibility_criteria="Inclusion Criteria:\n\n* Age \\>= 18\n* FEV1 &lt; 80 %",
    )


def test_texts_are_tidied_and_nothing_else():
    record = study(1, nctId=" nct90000001\n", briefTitle="  Me\u0301nie\u0300re &amp; vertigo\r\nsecond\rthird \n")
    record["protocolSection"]["conditionsModule"]["conditions"] = [" a ", "", " \n", "b"]
    trial = trial_of(record)
    assert trial.nct_id == "NCT90000001"
    assert trial.brief_title == "M\u00e9ni\u00e8re &amp; vertigo\nsecond\nthird"
    assert trial.conditions == ("a", "b")


def test_absent_and_null_modules_and_fields_are_empty():
    bare = {"protocolSection": {"identificationModule": {"nctId": nct(1), "briefTitle": None}, "designModule": None}}
    assert trial_of(bare) == Trial(nct_id=nct(1))
    assert trial_of({}) == Trial(nct_id="")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(protocolSection=[]), "protocolSection is a list, not an object"),
        (
            lambda s: s["protocolSection"].update(statusModule="x"),
            "protocolSection.statusModule is text, not an object",
        ),
        (
            lambda s: s["protocolSection"]["identificationModule"].update(nctId=90000001),
            "protocolSection.identificationModule.nctId is a number, not text",
        ),
        (
            lambda s: s["protocolSection"]["conditionsModule"].update(conditions="Asthma"),
            "protocolSection.conditionsModule.conditions is text, not a list",
        ),
        (
            lambda s: s["protocolSection"]["designModule"].update(phases=["PHASE1", 2]),
            "protocolSection.designModule.phases[1] is a number, not text",
        ),
        (
            lambda s: s["protocolSection"]["armsInterventionsModule"]["interventions"].append("velotumab"),
            "protocolSection.armsInterventionsModule.interventions[2] is text, not an object",
        ),
        (
            lambda s: s["derivedSection"]["conditionBrowseModule"]["meshes"].append({"term": True}),
            "derivedSection.conditionBrowseModule.meshes[1].term is a boolean, not text",
        ),
    ],
)
def test_wrong_types_are_refused_by_path(change, message):
    record = study(1)
    change(record)
    with pytest.raises(NotAStudy) as raised:
        trial_of(record)
    assert str(raised.value) == message


def test_the_id_is_found_in_a_record_that_is_otherwise_wrong():
    record = study(7)
    record["protocolSection"]["statusModule"] = 3
    assert id_of(record) == nct(7)
    assert [id_of(each) for each in ([], {"protocolSection": []}, study(1, nctId=5), study(1, nctId=" "))] == [None] * 4
