"""How one trial is categorised: what is asked of which model, in which order, and what follows from the answers.

Each way is a generator that yields the requests it needs next, is sent their answers by key, and returns the row. So
the same steps run against a live runtime, or against what a ledger holds already. Nothing here waits or sends.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataset_project.llm.requests import Answer, ModelRequest
from dataset_project.trials.categorisers.rule_facts import RuleFacts
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.schemes.chunks import parts
from dataset_project.trials.schemes.scheme import Scheme
from dataset_project.trials.trial import Trial

Steps = Generator[list[ModelRequest], Mapping[str, Answer], "Categorised"]
# Votes must differ to be worth anything; models that do not take a temperature vary by themselves.
_VOTE_TEMPERATURE = 0.7


def item_prefix(scheme: Scheme) -> str:
    """What the ledger's items of a scheme start with; the trial's id follows."""
    return f"trials/{scheme.id}/"


@dataclass(frozen=True)
class Categorised:
    """What became of one trial. ``facts`` and ``category`` are None when ``status`` is ``failed``.

    ``categoriser``: what decided: rules, model or strong_model. ``parts``: in how many pieces the criteria were sent.
    ``asked``: keys of every request made for it.
    """

    nct_id: str
    input_hash: str
    status: str
    categoriser: str
    facts: Mapping[str, Any] | None = None
    category: str | None = None
    reason: str = ""
    confidence: float | None = None
    model: str = ""
    prompt_hash: str = ""
    parts: int = 0
    votes: int = 0
    error: str = ""
    asked: tuple[str, ...] = ()


@dataclass
class _Opinion:
    """What one model made of one trial."""

    facts: dict[str, Any] | None
    error: str
    requests: list[ModelRequest]
    parts: int

    @property
    def confidence(self) -> float:
        return self.facts["confidence"] / 100 if self.facts else 0.0


class Categoriser:
    """A scheme and a way to get its facts. ``count_tokens`` counts the tokens of a text as the model does."""

    def __init__(
        self,
        scheme: Scheme,
        settings: TrialSettings,
        rules: Callable[[Trial], RuleFacts] | None,
        count_tokens: Callable[[str], int],
    ):
        self.scheme, self._settings, self._rules, self._count = scheme, settings, rules, count_tokens
        if rules is None and settings.categoriser != "llm":
            raise ValueError(
                f"scheme {scheme.id} has no offline rules: set categoriser=llm, or scheme to one that ships with them"
            )

    def steps(self, trial: Trial) -> Steps:
        """The steps that categorise ``trial``, as the settings say."""
        ways = {"rules": self._by_rules, "llm": self._by_model, "cascade": self._by_cascade}
        return ways[self._settings.categoriser](trial)

    def strong_requests(self, trials: Iterable[Trial]) -> list[ModelRequest]:
        """What the strong model would be asked if all of ``trials`` went to it: for the dry run."""
        return [request for trial in trials for request in next(self._votes(trial))]

    def _by_rules(self, trial: Trial) -> Steps:
        return self._from_rules(trial, self._rules(trial))
        yield  # a generator that asks nothing

    def _by_model(self, trial: Trial) -> Steps:
        opinion = yield from self._opinion(trial, self._settings.model)
        return self._row(trial, "model", [opinion])

    def _by_cascade(self, trial: Trial) -> Steps:
        ruled = self._rules(trial)
        if self._is_settled(ruled.facts, ruled.confidence) and not ruled.conflict:
            return self._from_rules(trial, ruled)
        first = yield from self._opinion(trial, self._settings.model)
        # Rules that were fairly sure and are contradicted are a reason to ask further, like doubt.
        contradicted = (
            first.facts is not None
            and not ruled.conflict
            and ruled.confidence >= self._settings.confident
            and self.scheme.decide(first.facts).category != self.scheme.decide(ruled.facts).category
        )
        if first.facts is not None and not contradicted and self._is_settled(first.facts, first.confidence):
            return self._row(trial, "model", [first])
        votes = yield from self._votes(trial)
        if any(vote.facts for vote in votes):
            return self._row(trial, "strong_model", votes, [first])
        # The strong model gave nothing: what the first one said stands, with what went wrong beside it.
        return self._row(trial, "model", [first], votes)

    def _is_settled(self, facts: Mapping[str, Any], confidence: float) -> bool:
        priority = self.scheme.decide(facts).category in self.scheme.priority
        return not priority and confidence >= self._settings.confident and not self.scheme.inconsistencies(facts)

    def _opinion(self, trial: Trial, model: str, sample: int = 0, temperature: float | None = None):
        pieces = parts(trial, self._settings.max_criteria_tokens, self._count)
        requests = [
            self._request(trial, model, self.scheme.messages(trial, piece, number, len(pieces)), sample, temperature)
            for number, piece in enumerate(pieces, 1)
        ]
        answers = yield requests
        opinion = self._read(requests, answers, len(pieces))
        if opinion.facts is not None and (wrong := self.scheme.inconsistencies(opinion.facts)):
            # Told once what contradicts itself, most models put it right.
            messages = self._corrected(requests[-1], opinion.facts, wrong)
            again = self._request(trial, model, messages, sample, temperature)
            answers = yield [again]
            second = self._read([again], answers, len(pieces))
            second.requests = [*requests, again]
            if second.facts is not None and (wrong := self.scheme.inconsistencies(second.facts)):
                second.facts, second.error = None, f"inconsistent: {'; '.join(wrong)}"
            return second
        return opinion

    def _votes(self, trial: Trial):
        count = self._settings.votes
        running = [
            self._opinion(trial, self._settings.strong_model, sample, _VOTE_TEMPERATURE if count > 1 else None)
            for sample in range(count)
        ]
        return (yield from _together(running))

    def _request(
        self,
        trial: Trial,
        model: str,
        messages: tuple[tuple[str, str], ...],
        sample: int,
        temperature: float | None,
    ) -> ModelRequest:
        return ModelRequest(
            item=f"{item_prefix(self.scheme)}{trial.nct_id}",
            model=model,
            messages=messages,
            schema_name=self.scheme.id,
            schema=self.scheme.json_schema(),
            max_output_tokens=self._settings.max_output_tokens,
            temperature=temperature,
            reasoning_effort=self._settings.reasoning_effort,
            sample=sample,
        )

    @staticmethod
    def _corrected(request: ModelRequest, facts: Mapping[str, Any], wrong: Sequence[str]) -> tuple:
        import json

        complaint = f"These facts contradict each other: {'; '.join(wrong)}. Read the trial again and correct them."
        said = json.dumps(facts, ensure_ascii=False)
        return (*request.messages, ("assistant", said), ("user", complaint))

    def _read(self, requests: Sequence[ModelRequest], answers: Mapping[str, Answer], parts: int) -> _Opinion:
        got = [answers[request.key] for request in requests]
        bad = [answer for answer in got if answer.kind != "ok"]
        if bad:
            return _Opinion(None, f"{bad[0].kind}: {bad[0].error}", list(requests), parts)
        facts = self.scheme.merge([answer.value for answer in got])
        if problems := self.scheme.problems(facts):
            return _Opinion(None, f"invalid: {'; '.join(problems)}", list(requests), parts)
        return _Opinion(facts, "", list(requests), parts)

    def _from_rules(self, trial: Trial, ruled: RuleFacts) -> Categorised:
        decision = self.scheme.decide(ruled.facts)
        universal = {"confidence": round(100 * ruled.confidence), "notes": ruled.notes}
        return Categorised(
            nct_id=trial.nct_id,
            input_hash=trial.input_hash,
            status="ok",
            categoriser="rules",
            facts={**ruled.facts, **universal},
            category=decision.category,
            reason=decision.reason,
            confidence=ruled.confidence,
        )

    def _row(
        self, trial: Trial, categoriser: str, opinions: Sequence[_Opinion], others: Sequence[_Opinion] = ()
    ) -> Categorised:
        """The row that ``opinions`` of one model come to, by majority; ties go to the earlier vote."""
        asked = [request for opinion in (*others, *opinions) for request in opinion.requests]
        errors = "; ".join(opinion.error for opinion in (*others, *opinions) if opinion.error)
        common = {
            "nct_id": trial.nct_id,
            "input_hash": trial.input_hash,
            "categoriser": categoriser,
            "model": opinions[0].requests[0].model,
            "prompt_hash": _combined([request.prompt_hash for opinion in opinions for request in opinion.requests]),
            "parts": opinions[0].parts,
            "votes": len(opinions),
            "error": errors,
            "asked": tuple(dict.fromkeys(request.key for request in asked)),
        }
        valid = [opinion for opinion in opinions if opinion.facts is not None]
        if not valid:
            return Categorised(status="failed", **common)
        decisions = [self.scheme.decide(opinion.facts) for opinion in valid]
        counted = Counter(decision.category for decision in decisions)
        most = max(counted.values())
        chosen = next(number for number, each in enumerate(decisions) if counted[each.category] == most)
        share = counted[decisions[chosen].category] / len(valid)
        return Categorised(
            status="ok",
            facts=valid[chosen].facts,
            category=decisions[chosen].category,
            reason=decisions[chosen].reason,
            # Of several votes the share that agrees: it is better calibrated than what models say of themselves
            # (Wang et al. 2023, self-consistency).
            confidence=share if len(valid) > 1 else valid[chosen].confidence,
            **common,
        )


def _together(running: Sequence[Generator]) -> Generator[list[ModelRequest], Mapping[str, Answer], list[Any]]:
    """Several steps at once: their requests are asked together, and their results come in order."""
    results: list[Any] = [None] * len(running)
    wanted: dict[int, list[ModelRequest]] = {number: next(steps) for number, steps in enumerate(running)}
    while wanted:
        answers = yield [request for requests in wanted.values() for request in requests]
        for number in list(wanted):
            try:
                wanted[number] = running[number].send(answers)
            except StopIteration as done:
                results[number] = done.value
                del wanted[number]
    return results


def _combined(hashes: Sequence[str]) -> str:
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()[:32]
