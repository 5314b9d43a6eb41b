"""A document in the making: choices from named streams, and sentences whose identity slots become values or blanks.

The one place where the class of a document decides what is written: a template says ``{patient.name}``, and a positive
gets the patient's name there, a negative what `blanks` has for it. Everything else a template draws from streams of
their own, so the twins of one document share every other word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from dataset_project.documents.model.blocks import Surface
from dataset_project.documents.model.values import Run, Runs
from dataset_project.documents.templates.blanks import PROSE, Manner, blank, stand_in
from dataset_project.documents.templates.clinical import CHILD
from dataset_project.documents.templates.encounters import ADULT, Clinical, choice, draw_clinical, sample
from dataset_project.documents.templates.slots import SLOTS, Known
from dataset_project.documents.templates.wording import joined, lowered, worded

if TYPE_CHECKING:
    from dataset_project.documents.identities.case import Case
    from dataset_project.documents.templates.template import Template

T = TypeVar("T")

DIFFICULTIES = ("easy", "medium", "hard")

# Whose values a class may hold. A document with values of staff and organizations alone is personal data but no PHI;
# a negative has none.
_OWNERS: Mapping[str, tuple[str, ...]] = {
    "phi": ("patient", "relative", "provider", "provider2", "facility", "facility2", "employee", "date"),
    "pii_only": ("employee", "provider", "provider2", "facility", "facility2"),
    "negative": (),
    # A container: its own text holds everything or nothing, its parts have classes of their own.
    "mixed": (),
}
# Share of slots that a hard positive leaves blank, as partly redacted records do. Never in labelled fields.
_REDACTED = 0.06
_SENTENCE_END = re.compile(r"(?:^|[.!?:] )$")


@lru_cache(maxsize=8192)
def _pieces(text: str) -> tuple[str, ...]:
    """Text and slot names in turn, text first."""
    return tuple(re.split(r"\{([A-Za-z_0-9.]+)\}", text))


class Draft:
    """What a template works with. ``rng_for`` gives the stream of a field by its name.

    Raises ValueError for a class or difficulty that there is not.
    """

    def __init__(
        self,
        case: Case,
        rng_for: Callable[[str], np.random.Generator],
        surfaces: frozenset[Surface],
        document_class: str,
        layout: str,
        difficulty: str,
        manners: Sequence[Manner] = PROSE,
    ) -> None:
        if document_class not in _OWNERS:
            raise ValueError(f"a document is one of {', '.join(_OWNERS)}, not {document_class!r}")
        if difficulty not in DIFFICULTIES:
            raise ValueError(f"difficulty is one of {', '.join(DIFFICULTIES)}, not {difficulty!r}")
        self.case = case
        self.surfaces = surfaces
        self.document_class = document_class
        self.layout = layout
        self.difficulty = difficulty
        self.known = Known(case, difficulty)
        self.others: tuple[Case, ...] = ()
        self.part_layouts: Callable[[Template], Sequence[str]] | None = None
        self.words: dict[str, Runs] = {}
        self._rng_for = rng_for
        self._streams: dict[str, np.random.Generator] = {}
        self._block = "start"
        of_text = ("negative", "phi")[self.chance("mixed text", 0.5)] if document_class == "mixed" else document_class
        self._owners = _OWNERS[of_text]
        self.manner = choice(self.rng("manner"), tuple(manners))
        self.set_person(case.patient.sex)

    # Choices.

    def rng(self, field: str) -> np.random.Generator:
        """The stream of a field; one and the same when asked again."""
        stream = self._streams.get(field)
        if stream is None:
            stream = self._streams[field] = self._rng_for(field)
        return stream

    def stream_for(self, field: str) -> np.random.Generator:
        """A fresh stream of a field, for a part of the document that is built on its own."""
        return self._rng_for(field)

    def pick(self, field: str, options: Sequence[T]) -> T:
        """One of ``options`` from a field's stream."""
        return choice(self.rng(field), options)

    def sample(self, field: str, options: Sequence[T], count: int) -> tuple[T, ...]:
        """Up to ``count`` different ones, in their own order."""
        return sample(self.rng(field), options, count)

    def companion(self, number: int) -> Draft:
        """A draft about the other case ``number``, of the same class and manner, with streams of its own."""
        other = Draft(
            self.others[number],
            lambda field: self._rng_for(f"other {number}/{field}"),
            self.surfaces,
            self.document_class,
            self.layout,
            self.difficulty,
            (self.manner,),
        )
        return other

    def chance(self, field: str, share: float) -> bool:
        """True in ``share`` of the cases."""
        return bool(self.rng(field).random() < share)

    def whole(self, field: str, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self.rng(field).random() * (high - low + 1))

    def has(self, surface: Surface) -> bool:
        """Whether the format writes this zone. A message writes boxes, pictures and hidden text into its HTML part."""
        return surface in self.surfaces or (
            "html_only" in self.surfaces and surface in ("text_box", "alt_text", "hidden")
        )

    @property
    def single_table(self) -> bool:
        """Whether the format is one table with lines above it (comma-separated values)."""
        return self.surfaces == {"body", "table", "header", "footer"}

    # Words.

    def set_person(self, sex: str) -> None:
        """Pronouns and age words, of the patient."""
        age = self.case.age_of()
        man = ("girl", "boy") if age < ADULT else ("woman", "man")
        female = sex == "F"
        words = {
            "he": "she" if female else "he",
            "his": "her" if female else "his",
            "him": "her" if female else "him",
            "man": man[not female],
        }
        self.words |= {key: (word,) for key, word in words.items()}
        self.words |= {key.capitalize(): (word.capitalize(),) for key, word in words.items()}

    def set_clinical(self, setting: str | None = None, images: bool = False) -> Clinical:
        """Draw the clinical picture of the patient and make its words known: {complaint}, {short}, {specialty} …"""
        self.known.setting = setting or "clinic"
        picture = draw_clinical(self.case.patient.sex, self.case.age_of(), self.rng, setting, images)
        complaint = self.fill(picture.complaint)
        text = complaint[0] if complaint and isinstance(complaint[0], str) else ""
        self.words |= {
            "complaint": complaint,
            "Complaint": (text[:1].upper() + text[1:], *complaint[1:]),
            "comorbid": (picture.comorbid_text,),
            "short": (picture.condition.short,),
            "diagnosis": (picture.condition.name,),
            "icd10": (picture.condition.icd10,),
            "specialty": (picture.condition.specialty,),
            "allergy": (picture.allergy,),
            "follow_up": (re.split(r" in | as needed", picture.condition.follow_up)[0],),
            "medication": (lowered(picture.orders[0].medication.name) if picture.orders else "the treatment",),
        }
        return picture

    # Slots.

    def at(self, block: str) -> Draft:
        """From here on the surfaces of values come from the stream of this block. Returns itself."""
        self._block = block
        return self

    def _age(self) -> Runs:
        """Age as it stands before a noun. An age of 90 or more is an identifier."""
        age = self.case.age_of()
        if age < 1:
            return ("infant",)
        return (*self.age_number, "-year-old") if age < 90 or self.holds("patient.age") else ("over-89-year-old",)

    @property
    def age_number(self) -> Runs:
        """Age in years as a number: a value, or as it may be published, where 90 and more is ``90+``."""
        if self.holds("patient.age"):
            return (self.known.age(self.rng(f"values/{self._block}")),)
        return (str(self.case.age_of()) if self.case.age_of() < 90 else "90+",)

    def holds(self, slot: str) -> bool:
        """Whether this document has a value for the slot."""
        return slot.partition(".")[0] in self._owners

    def slot(self, name: str, in_field: bool = False, whole: bool = False) -> Runs:
        """The runs of one slot. KeyError for a slot that there is not."""
        whole = whole or in_field
        if (words := self.words.get(name)) is not None:
            return words
        if name == "age":
            return self._age()
        if name == "age_short":
            return ("aged ", *self.age_number) if self.case.age_of() else ("a few months old",)
        if name in (
            "relative.relation",
            "patient.sex",
            "patient.plan",
            "patient.occupation",
            "patient.state",
            "employee.title",
            "employee.department",
            "provider.specialty",
            "patient.device_name",
        ):
            return (self.known.word(name),)
        if self.holds(name):
            rng = self.rng(f"values/{self._block}")
            if whole or self.difficulty != "hard" or rng.random() >= _REDACTED:
                return SLOTS[name.replace("facility2.", "facility.")](self.known, rng)
        if self._block == "properties":
            return (stand_in(name, self.rng("stand-ins")),)
        return (self._blank(name, in_field),)

    def _blank(self, name: str, in_field: bool) -> str:
        return blank(name, self.manner, self.case.encounter.visit.year, self.case.patient.birth_date.year, in_field)

    def fill(self, text: str, sentence: bool = True, whole: bool = False) -> Runs:
        """A text with its slots filled; of a ``sentence`` wording that begins it gets a capital. ``whole``: without
        the blanks that a hard positive has here and there."""
        runs: list[Run] = []
        for number, piece in enumerate(_pieces(text)):
            if number % 2 == 0:
                if piece:
                    runs.append(piece)
                continue
            filled = self.slot(piece, not sentence, whole)
            if self.manner == "safe" and runs and isinstance(runs[-1], str) and isinstance(filled[0], str):
                runs[-1], filled = worded(runs[-1], filled)
            if sentence and filled and isinstance(filled[0], str) and "." in piece and self._starts(runs):
                filled = (filled[0][:1].upper() + filled[0][1:], *filled[1:])
            runs += filled
        return joined(runs)

    @staticmethod
    def _starts(runs: list[Run]) -> bool:
        return not runs or (isinstance(runs[-1], str) and bool(_SENTENCE_END.search(runs[-1])))

    def field(self, name: str) -> Runs:
        """A slot as the content of a labelled field or cell."""
        return self.slot(name, in_field=True)

    def fills(self, texts: Sequence[str]) -> tuple[Runs, ...]:
        """Several sentences."""
        return tuple(self.fill(text) for text in texts)

    def paragraph(self, texts: Sequence[str]) -> Runs:
        """Several sentences as one paragraph."""
        runs: list[Run] = []
        for text in texts:
            if runs:
                runs.append(" ")
            runs += self.fill(text)
        return joined(runs)

    @property
    def child(self) -> bool:
        """Whether the patient is a child who is called by the given name."""
        return self.case.age_of() < CHILD
