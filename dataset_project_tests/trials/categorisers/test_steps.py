"""What is asked of which model, in which order, and what follows: the steps driven by hand, answer by answer."""

from __future__ import annotations

import json

import pytest

from dataset_project.llm.requests import Answer, ModelRequest
from dataset_project.trials.categorisers.driver import categorise, finished, first_requests
from dataset_project.trials.categorisers.ready import ready_categoriser
from dataset_project.trials.categorisers.rule_facts import RuleFacts
from dataset_project.trials.categorisers.steps import Categoriser
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.schemes.loading import load_scheme
from dataset_project.trials.trial import Trial

SCHEME = load_scheme("therapeutic_area")
TRIAL = Trial("NCT90000001", brief_title="Inhaled budesonide in asthma", conditions=("Asthma",))
ASTHMA = {
    "primary_condition": "asthma",
    "is_neoplasm": False,
    "is_infection": False,
    "healthy_volunteers_only": False,
    "primary_area": "respiratory",
    "other_areas": [],
    "confidence": 95,
    "notes": "",
}
ECZEMA = ASTHMA | {"primary_condition": "eczema", "primary_area": "skin"}
CONTRADICTION = ASTHMA | {"is_neoplasm": True}
RULED = RuleFacts({name: ASTHMA[name] for name in list(ASTHMA)[:6]}, confidence=0.9, conflict=False, notes="title")


def _categoriser(kind: str, ruled: RuleFacts = RULED, **settings) -> Categoriser:
    chosen = TrialSettings(categoriser=kind, model="small", strong_model="strong", **settings)
    return Categoriser(SCHEME, chosen, lambda trial: ruled, lambda text: len(text) // 4)


def _answer(request: ModelRequest, facts: dict | None, kind: str = "ok") -> Answer:
    content = json.dumps(facts) if facts else ""
    return Answer(request.key, kind, content, "" if kind == "ok" else "told so", request.model, 0.001, 1)


def _drive(categoriser: Categoriser, *rounds: list[dict | str], trial: Trial = TRIAL):
    """The row, and the requests of each round. ``rounds``: facts, or the kind of a failure, per request."""
    steps = categoriser.steps(trial)
    asked = []
    answers = None
    try:
        for said in rounds:
            requests = next(steps) if answers is None else steps.send(answers)
            asked.append(requests)
            assert len(requests) == len(said), f"round {len(asked)} asks {len(requests)} requests"
            answers = {
                request.key: _answer(request, None, each) if isinstance(each, str) else _answer(request, each)
                for request, each in zip(requests, said, strict=True)
            }
        next(steps) if answers is None else steps.send(answers)
    except StopIteration as done:
        assert len(asked) == len(rounds)
        return done.value, asked
    raise AssertionError("more was asked")


def test_rules_ask_nothing():
    row, asked = _drive(_categoriser("rules"))
    assert asked == [] and (row.category, row.categoriser, row.status) == ("respiratory", "rules", "ok")
    assert row.facts["confidence"] == 90 and row.facts["notes"] == "title" and row.confidence == 0.9


def test_a_model_is_asked_once_and_the_category_follows_from_its_facts():
    row, [[request]] = _drive(_categoriser("llm"), [ASTHMA])
    assert request.model == "small" and request.item == "trials/therapeutic_area/NCT90000001"
    assert row.category == SCHEME.decide(ASTHMA).category == "respiratory"
    assert (row.model, row.prompt_hash, row.confidence) == ("small", request.prompt_hash, 0.95)
    assert row.asked == (request.key,) and row.parts == row.votes == 1


@pytest.mark.parametrize("kind", ["refused", "invalid", "truncated", "too_long", "bad_request", "exhausted"])
def test_a_failed_answer_is_a_failed_row_that_says_why(kind):
    row, _ = _drive(_categoriser("llm"), [kind])
    assert (row.status, row.category, row.facts, row.error) == ("failed", None, None, f"{kind}: told so")


def test_contradicting_facts_are_sent_back_once():
    row, asked = _drive(_categoriser("llm"), [CONTRADICTION], [ASTHMA])
    assert row.category == "respiratory" and len(row.asked) == 2
    assert "contradict" in asked[1][0].messages[-1][1] and asked[1][0].messages[:2] == asked[0][0].messages
    row, _ = _drive(_categoriser("llm"), [CONTRADICTION], [CONTRADICTION])
    assert row.status == "failed" and row.error.startswith("inconsistent: ")


def test_long_criteria_are_sent_in_parts_and_merged():
    criteria = "Inclusion Criteria:\n\n" + "\n\n".join(f"* criterion {n} of many: {'word ' * 60}" for n in range(60))
    trial = Trial("NCT90000002", brief_title="Asthma", eligibility_criteria=criteria)
    steps = _categoriser("llm", max_criteria_tokens=1_000).steps(trial)
    count = len(next(steps))
    assert count > 3
    said = [ASTHMA] * (count - 1) + [ASTHMA | {"other_areas": ["skin"], "confidence": 60}]
    row, [requests] = _drive(_categoriser("llm", max_criteria_tokens=1_000), said, trial=trial)
    assert row.parts == count and row.facts["other_areas"] == ["skin"] and row.confidence == 0.6
    sent = "".join(request.messages[-1][1] for request in requests)
    assert all(f"criterion {n} of many" in sent for n in range(60)), "nothing is cut off"


def test_a_cascade_stops_at_rules_that_are_sure():
    row, asked = _drive(_categoriser("cascade"))
    assert row.categoriser == "rules" and asked == []


UNSURE = RuleFacts(RULED.facts, confidence=0.4, conflict=False, notes="")


def test_a_cascade_asks_the_model_when_rules_are_not_sure_and_believes_it_when_it_is():
    row, asked = _drive(_categoriser("cascade", UNSURE), [ECZEMA])
    assert (row.categoriser, row.category, asked[0][0].model) == ("model", "skin", "small")


def test_a_cascade_goes_on_when_sure_rules_in_conflict_or_a_doubtful_model_say_so():
    doubtful = ECZEMA | {"confidence": 50}
    row, asked = _drive(_categoriser("cascade", UNSURE), [doubtful], [ASTHMA])
    assert (row.categoriser, row.category, asked[1][0].model) == ("strong_model", "respiratory", "strong")
    assert row.asked == tuple(request.key for requests in asked for request in requests)


def test_votes_are_taken_by_majority_and_their_share_is_the_confidence():
    row, asked = _drive(_categoriser("cascade", UNSURE, votes=3), ["refused"], [ECZEMA, ASTHMA, ASTHMA])
    assert row.category == "respiratory" and row.confidence == pytest.approx(2 / 3) and row.votes == 3
    assert len({request.key for request in asked[1]}) == 3 and "refused" in row.error


def test_what_the_first_model_said_stands_when_the_strong_one_fails():
    doubtful = ECZEMA | {"confidence": 50}
    row, _ = _drive(_categoriser("cascade", UNSURE), [doubtful], ["exhausted"])
    assert (row.status, row.categoriser, row.category) == ("ok", "model", "skin") and "exhausted" in row.error
    row, _ = _drive(_categoriser("cascade", UNSURE), ["refused"], ["exhausted"])
    assert row.status == "failed" and "refused" in row.error and "exhausted" in row.error


def test_priority_categories_go_to_the_strong_model():
    scheme = load_scheme("kras_g12d_crc")
    assert scheme.priority
    trial = Trial(
        "NCT90000003",
        brief_title="A KRAS G12D inhibitor in colorectal cancer",
        conditions=("Colorectal Cancer",),
        eligibility_criteria="Inclusion Criteria:\n\n* Metastatic colorectal adenocarcinoma\n* KRAS G12D mutation",
    )
    settings = TrialSettings(scheme="kras_g12d_crc", categoriser="cascade", model="small", strong_model="strong")
    categoriser = ready_categoriser(scheme, settings)
    rules = ready_categoriser(scheme, settings.model_copy(update={"categoriser": "rules"}))
    assert categorise(rules, [trial], None)[0].category in scheme.priority
    assert [request.model for request in first_requests(categoriser, [trial])] == ["small"]


def test_finished_rows_come_from_answers_alone():
    other = Trial("NCT90000009", brief_title="Eczema")
    categoriser = _categoriser("llm")
    known = {request.key: _answer(request, ASTHMA) for request in first_requests(categoriser, [TRIAL])}
    rows = finished(categoriser, [TRIAL, other], lambda keys: {key: known[key] for key in keys if key in known})
    assert [row.nct_id for row in rows] == [TRIAL.nct_id]


def test_a_scheme_without_offline_rules_says_what_to_set():
    with pytest.raises(ValueError, match="no offline rules: set categoriser=llm"):
        Categoriser(SCHEME, TrialSettings(), None, len)
