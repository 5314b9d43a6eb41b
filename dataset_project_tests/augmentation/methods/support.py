"""What tests of methods share: the shipped sentences, and running one method over texts."""

from __future__ import annotations

from functools import lru_cache

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import MethodSpec, Propose, load_registry, make
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.sentences.reading import Columns, read_sentences
from dataset_project.augmentation.text.edits import apply, tidy
from dataset_project.augmentation.text.tokens import passage


@lru_cache(maxsize=1)
def sample_texts() -> tuple[str, ...]:
    """The shipped sentences."""
    columns = Columns("sentence_id", "sentence_text", "DSM5_symptom", "status", "post_id")
    return tuple(row["text"] for row in read_sentences(None, columns))


def shipped(name: str, **parameters) -> tuple[MethodSpec, Propose]:
    """A shipped method that needs no resource, with ``parameters`` changed."""
    spec = load_registry()[name]
    spec = spec.model_copy(update={"parameters": {**spec.parameters, **parameters}})
    return spec, make(spec, Prepared({}))


def changed(propose: Propose, text: str, seed: int = 0, intensity: float = 0.2) -> str:
    """The text after one application."""
    return apply(text, tidy(text, propose(passage(text), Draws(seed), intensity)))
