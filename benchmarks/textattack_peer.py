"""TextAttack 0.3.11 as a peer: its own transformations in its own augmenter, timed in a process of their own.

Installed with ``pip install --no-deps textattack==0.3.11``. It imports PyTorch, transformers and a dozen other packages
that the transformations measured here never call; stand-ins take their places, so what is timed is TextAttack's own
code. NLTK's stop-word list, which it reads on import and which is no package, is scikit-learn's here.

``python -m benchmarks.textattack_peer`` reads JSON {"texts": […], "wordnet": directory, "share": of words} and prints
JSON method → {"seconds_per_text", "changed"}.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import sys
import tempfile
import time
import types
from pathlib import Path

# Our method → the transformation that does the same.
TRANSFORMATIONS = {
    "keyboard": "WordSwapQWERTY",
    "char_swap": "WordSwapNeighboringCharacterSwap",
    "char_delete": "WordSwapRandomCharacterDeletion",
    "char_insert": "WordSwapRandomCharacterInsertion",
    "char_substitute": "WordSwapRandomCharacterSubstitution",
    "word_delete": "WordDeletion",
    "word_swap": "WordInnerSwapRandom",
    "wordnet_synonym": "WordSwapWordNet",
    "contract": "WordSwapContract",
}
_UNUSED = (
    "torch",
    "transformers",
    "datasets",
    "flair",
    "language_tool_python",
    "OpenHowNet",
    "bert_score",
    "pycld2",
    "pinyin",
    "jieba",
    "langdetect",
    "lru",
    "editdistance",
    "terminaltables",
    "word2number",
    "more_itertools",
    "Levenshtein",
    "sentence_transformers",
    "tensorflow",
    "tensorflow_hub",
    "wandb",
    "visdom",
    "requests",
)


class _AnyType(type):
    def __getattr__(cls, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything


class Anything(metaclass=_AnyType):
    """Stands in for whatever is imported, subclassed or called while TextAttack loads."""

    def __init__(self, *args: object, **keywords: object):
        pass

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything

    def __call__(self, *args: object, **keywords: object):
        return Anything()


class _StandIn(types.ModuleType):
    __path__: list[str] = []  # noqa: RUF012

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path, target=None):
        if fullname.split(".")[0] in _UNUSED:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _StandIn(spec.name)

    def exec_module(self, module):
        pass


def _load(wordnet: str):
    """TextAttack, with stand-ins in place, stop words, and WordNet for its WordNet transformation."""
    import nltk
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    root = Path(tempfile.mkdtemp(prefix="stopwords-"))
    (root / "corpora" / "stopwords").mkdir(parents=True)
    (root / "corpora" / "stopwords" / "english").write_text("\n".join(sorted(ENGLISH_STOP_WORDS)))
    nltk.data.path[:0] = [str(root), wordnet]
    nltk.download = lambda *args, **keywords: True
    sys.meta_path.insert(0, _StandIns())
    import textattack

    return textattack


def measure(texts: list[str], wordnet: str, share: float) -> dict[str, dict[str, float]]:
    """CPU seconds per text of each transformation, ``share`` of its words, and the share of texts it changed."""
    _load(wordnet)
    from textattack import transformations
    from textattack.augmentation import Augmenter
    from textattack.constraints.pre_transformation import RepeatModification, StopwordModification

    found = {}
    for method, name in TRANSFORMATIONS.items():
        constraints = [RepeatModification(), StopwordModification()]
        augmenter = Augmenter(
            transformation=getattr(transformations, name)(),
            constraints=constraints,
            pct_words_to_swap=share,
            transformations_per_example=1,
        )
        augmenter.augment(texts[0])
        start, changed = time.process_time(), 0
        for text in texts:
            changed += augmenter.augment(text)[0] != text
        found[method] = {
            "seconds_per_text": (time.process_time() - start) / len(texts),
            "changed": changed / len(texts),
        }
    return found


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    print(json.dumps(measure(asked["texts"], asked["wordnet"], asked["share"])))
