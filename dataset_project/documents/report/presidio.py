"""Presidio's analyzer with patterns only: what its rules find without a language model.

With ``spacy.blank("en")`` there is no named-entity recognition: names and places have no pattern and are not found, and
that is the baseline this is. Both libraries are optional; what is measured with them belongs to `recall`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec

Analyze = Callable[[str], Iterable[tuple[int, int]]]
"""Text → (start, end) of whatever is found in it, under any name."""

_NEEDED = ("presidio_analyzer", "spacy")


def unavailable() -> str:
    """Why Presidio cannot be asked here; empty when it can."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if not missing:
        return ""
    are = "is" if len(missing) == 1 else "are"
    return f"{' and '.join(missing)} {are} not installed (pip install presidio-analyzer)"


def patterns_only() -> Analyze:
    """The analyzer. Raises ImportError with `unavailable`'s reason where its libraries are not installed."""
    if reason := unavailable():
        raise ImportError(reason)
    import spacy
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    # Given, so that it loads none, which would download one.
    engine.nlp = {"en": spacy.blank("en")}
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])

    def analyze(text: str) -> list[tuple[int, int]]:
        return sorted({(each.start, each.end) for each in analyzer.analyze(text=text, language="en")})

    return analyze
