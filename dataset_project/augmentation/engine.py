"""The engine: a combination of methods over all sentences, every variant asked for accepted or given up for a reason.

Attempts go in rounds, all sentences at once, so that scores are computed in batches. What an attempt draws depends on
(seed, combination, step, sentence, variant, attempt) alone, and what is accepted on the sentence and its own variants,
so neither the order of rows nor what ran before in the process matters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dataset_project.augmentation.combos import Combo
from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose
from dataset_project.augmentation.quality.scorers import Score
from dataset_project.augmentation.sentences.corpus import Corpus
from dataset_project.augmentation.text import guards
from dataset_project.augmentation.text.edits import Edit, apply, tidy
from dataset_project.augmentation.text.tokens import passage
from dataset_project.storage.seeding import seed_for

STREAM = "augmented_sentences"
# How a slot's intensity follows the band, and how often it may come up with what a sibling already has.
_STRONGER, _WEAKER, _MOST_DUPLICATES = 1.6, 0.6, 3


class MethodFailed(Exception):
    """A method raised: which, on which sentence, and what."""


@dataclass(frozen=True)
class Limits:
    """What is asked for and what is accepted: variants per sentence, attempts at each, and the band of the score."""

    variants: int
    attempts: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Variant:
    """An accepted variant: the sentence's place in the corpus, and how it came about."""

    place: int
    variant: int
    attempt: int
    seed: int
    text: str
    steps: tuple[tuple[str, str, tuple[Edit, ...]], ...]
    """(method, that step's input, its edits) in order."""


@dataclass
class Generated:
    """What a combination came to: variants in order of (sentence, variant); attempts refused and slots given up, by
    reason."""

    variants: list[Variant]
    rejected: Counter[str]
    unfilled: Counter[str]

    @property
    def candidates(self) -> int:
        return len(self.variants) + sum(self.rejected.values())


@dataclass(slots=True)
class _Slot:
    """One variant that is looked for: how much stronger than declared its next attempt is, and what became of it."""

    place: int
    variant: int
    factor: float = 1.0
    tried: str = ""
    duplicates: int = 0
    hopeless: bool = False
    closed: bool = False


def generate(
    corpus: Corpus, combo: Combo, methods: Sequence[Propose], score: Score, limits: Limits, seed: int
) -> Generated:
    """Variants of every sentence. ``methods`` are the combo's, made ready, in its order.

    Raises MethodFailed when a method raises.
    """
    if not all(spec.banded for spec in combo.methods):
        return _copies(corpus, combo, limits, seed)
    return _Search(corpus, combo, methods, score, limits, seed).run()


def _copies(corpus: Corpus, combo: Combo, limits: Limits, seed: int) -> Generated:
    """The control: sentences as they are, as often as variants are asked for."""
    variants = [
        Variant(place, variant, 0, _seed(seed, combo, 0, corpus.ids[place], variant, 0), text, ())
        for place, text in enumerate(corpus.texts)
        for variant in range(limits.variants)
    ]
    return Generated(variants, Counter(), Counter())


def _seed(seed: int, combo: Combo, step: int, source_id: str, variant: int, attempt: int) -> int:
    return seed_for(seed, STREAM, combo.key, step, source_id, variant, attempt)


class _Search:
    def __init__(
        self, corpus: Corpus, combo: Combo, methods: Sequence[Propose], score: Score, limits: Limits, seed: int
    ):
        self._corpus, self._combo, self._score, self._limits, self._seed = corpus, combo, score, limits, seed
        self._steps = list(zip(combo.methods, methods, strict=True))
        self._may_change = frozenset(guard for spec in combo.methods for guard in spec.may_change)
        self._strongest = max(spec.max_intensity / spec.intensity for spec in combo.methods)
        self._taken: dict[int, set[str]] = {}
        self._rejected: Counter[str] = Counter()
        self._unfilled: Counter[str] = Counter()
        self._accepted: list[Variant] = []

    def run(self) -> Generated:
        pending = [
            _Slot(place, variant)
            for place in range(len(self._corpus.texts))
            for variant in range(self._limits.variants)
        ]
        for attempt in range(self._limits.attempts):
            pending = self._round(pending, attempt, last=attempt == self._limits.attempts - 1)
        return Generated(self._without_twins(), self._rejected, self._unfilled)

    def _round(self, slots: Sequence[_Slot], attempt: int, last: bool) -> list[_Slot]:
        """One attempt at each slot; the slots that are still open."""
        candidates = []
        for slot in slots:
            found = self._attempt(slot, attempt)
            reason = found if isinstance(found, str) else self._refusal(slot, found.text)
            if reason:
                self._refuse(slot, reason, last)
            else:
                candidates.append((slot, found))
        texts = self._corpus.texts
        scores = self._score([texts[slot.place] for slot, _ in candidates], [found.text for _, found in candidates])
        for (slot, found), value in zip(candidates, scores, strict=True):
            taken = self._taken.setdefault(slot.place, set())
            if value < self._limits.low:
                self._refuse(slot, "below_band", last)
            elif value > self._limits.high:
                self._refuse(slot, "above_band", last, found.text)
            elif found.text in taken:  # a sibling of the same round came first
                self._refuse(slot, "duplicate", last)
            else:
                taken.add(found.text)
                self._accepted.append(found)
                slot.closed = True
        return [slot for slot in slots if not slot.closed]

    def _attempt(self, slot: _Slot, attempt: int) -> Variant | str:
        """What this attempt comes to, or why to nothing: every method of the combination has to change something."""
        source_id, text = self._corpus.ids[slot.place], self._corpus.texts[slot.place]
        first_seed, steps = 0, []
        for number, (spec, propose) in enumerate(self._steps):
            seed = _seed(self._seed, self._combo, number, source_id, slot.variant, attempt)
            first_seed = first_seed if number else seed
            intensity = min(spec.max_intensity, spec.intensity * slot.factor)
            try:
                edits = tidy(text, propose(passage(text), Draws(seed), intensity))
            except Exception as error:
                what = f"method {spec.id} on sentence {source_id}: {type(error).__name__}: {error}"
                raise MethodFailed(what) from error
            if not edits:
                slot.hopeless = number == 0  # the sentence itself has nothing to change
                return "no_edit"
            steps.append((spec.id, text, tuple(edits)))
            text = apply(text, edits)
        return Variant(slot.place, slot.variant, attempt, first_seed, text, tuple(steps))

    def _refusal(self, slot: _Slot, text: str) -> str:
        original = self._corpus.texts[slot.place]
        if text == original:
            return "identical"
        if text in self._corpus.distinct or text in self._taken.get(slot.place, ()):
            return "duplicate"
        return guards.broken(original, text, self._may_change) if text.strip() else "length"

    def _refuse(self, slot: _Slot, reason: str, last: bool, text: str = "") -> None:
        self._rejected[reason] += 1
        if reason == "above_band":
            # The same text again, as strong as it gets: there is nothing else to come.
            slot.hopeless = text == slot.tried and slot.factor >= self._strongest
            slot.tried, slot.factor = text, min(self._strongest, slot.factor * _STRONGER)
        elif reason == "below_band":
            slot.factor *= _WEAKER
        elif reason == "duplicate":
            slot.duplicates += 1
            slot.hopeless = slot.duplicates >= _MOST_DUPLICATES
        if slot.hopeless or last:
            slot.closed = True
            self._unfilled[reason] += 1

    def _without_twins(self) -> list[Variant]:
        """Accepted variants in order. Where two sentences came to the same text, the first sentence keeps it."""
        ordered = sorted(self._accepted, key=lambda each: (each.place, each.variant))
        first: dict[str, int] = {}
        kept = [each for each in ordered if first.setdefault(each.text, each.place) == each.place]
        twins = len(ordered) - len(kept)
        if twins:
            self._rejected["duplicate"] += twins
            self._unfilled["duplicate"] += twins
        return kept
