"""Small resources for tests of the methods that look words up, in the shape of the real ones."""

from __future__ import annotations

from functools import lru_cache

from dataset_project.augmentation.methods.registry import MethodSpec, Propose, load_registry, make
from dataset_project.augmentation.preparation.common_words import resource_table
from dataset_project.augmentation.preparation.corpus_words import tfidf_words
from dataset_project.augmentation.preparation.tables import Prepared, TermTable
from dataset_project_tests.augmentation.methods.support import sample_texts

PHRASES = [("high", "phrase", ["school"], []), ("quiet", "phrase", ["down"], [])]
ROWS = {
    "wordnet_synonyms": [
        ("couch", "n", ["sofa"], [1.0]),
        ("lawyer", "n", ["attorney"], [1.0]),
        ("school", "n", ["academy"], [1.0]),
        ("start", "v", ["begin"], [1.0]),
        ("shout", "v", ["yell", "scream"], [1.0, 2.0]),
        ("calm", "a", ["serene", "unruffled"], [1.0, 3.0]),
        ("honest", "a", ["truthful"], [1.0]),
        ("quick", "a", ["speedy"], [1.0]),
        ("recently", "r", ["lately"], [1.0]),
        ("tired", "a", ["weary"], [1.0]),
        ("go", "v", ["travel"], [1.0]),
        ("tune", "n", ["melody"], [1.0]),
        ("file", "n", ["document"], [1.0]),
        ("hallway", "n", ["hall"], [1.0]),
        ("speak", "v", ["talk"], [1.0]),
        ("just", "r", ["simply"], [1.0]),
    ],
    "wordnet_hypernyms": [
        ("dog", "n", ["animal"], [1.0]),
        ("house", "n", ["building"], [1.0]),
        ("steak", "n", ["meat"], [1.0]),
        ("shirt", "n", ["clothing"], [1.0]),
        ("milk", "n", ["bottle", "cheese"], [1.0, 1.0]),
    ],
    "wordnet_antonyms": [
        ("happy", "a", ["unhappy"], [1.0]),
        ("sad", "a", ["glad"], [1.0]),
        ("ugly", "a", ["beautiful"], [1.0]),
        ("win", "v", ["lose"], [1.0]),
        ("awful", "a", ["good", "nice"], [2.0, 2.0]),
        ("calm", "a", ["agitated", "stormy"], [1.0, 2.0]),
    ],
    "glove_neighbours": [
        ("kitchen", "", ["bathroom", "bedroom", "oven", "cooking"], [0.9, 0.8, 0.73, 0.5]),
        ("walked", "", ["strolled"], [0.8]),
        ("calmly", "", ["quietly", "soon"], [0.8, 0.8]),
        ("began", "", ["started"], [0.9]),
        ("floor", "", ["hallway", "carpet"], [0.9, 0.8]),
        ("lunch", "", ["dinner", "kitchen"], [0.9, 0.8]),
        ("reply", "", ["answer"], [0.9]),
    ],
    "homophones": [("hole", "", ["whole"], [100.0]), ("whole", "", ["hole"], [20.0]), ("rose", "", ["rows"], [9.0])],
}


@lru_cache(maxsize=1)
def resources() -> Prepared:
    def table(name: str) -> TermTable:
        return TermTable(resource_table([*ROWS[name], *(PHRASES if name != "homophones" else [])]))

    openers = {name: (lambda name=name: table(name)) for name in ROWS}
    return Prepared({**openers, "tfidf_words": lambda: TermTable(tfidf_words(sample_texts()))})


def with_tables(name: str, **parameters) -> tuple[MethodSpec, Propose]:
    """A shipped method over the small resources, with ``parameters`` changed."""
    spec = load_registry()[name]
    spec = spec.model_copy(update={"parameters": {**spec.parameters, **parameters}})
    return spec, make(spec, resources())
