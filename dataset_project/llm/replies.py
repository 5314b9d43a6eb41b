"""What a successful answer says: completions and embeddings, read from whatever shape a server gives them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataset_project.llm.requests import Usage

if TYPE_CHECKING:
    import numpy as np

Limits = tuple[int | None, int | None]
# A hundred times the longest context there is: more is a mistake, and no sum of money that a ledger could hold.
_MOST_TOKENS = 10**9


class NotAReply(Exception):
    """A body that is JSON, but no answer of the API. ``usage``: what it counts nevertheless."""

    def __init__(self, message: str, usage: Usage | None = None):
        super().__init__(message)
        self.usage = usage or Usage()


@dataclass(slots=True)
class Reply:
    """A completion. ``finish``: the provider's finish_reason. ``limits``: requests and tokens per minute, where told.

    ``usage`` is None when the provider did not count.
    """

    text: str
    finish: str
    refusal: str
    usage: Usage | None
    model: str
    limits: Limits = (None, None)


@dataclass(slots=True)
class EmbeddingReply:
    """``vectors``: (n, d) float32, row i for text i."""

    vectors: np.ndarray
    usage: Usage | None
    model: str
    limits: Limits = (None, None)


def completion(body: Any, limits: Limits) -> Reply:
    """Raises NotAReply for a body without a choice."""
    usage = usage_of(body)
    choices = body.get("choices") if isinstance(body, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise NotAReply("no choice with a message in the answer", usage)
    return Reply(
        text=_text(message.get("content")),
        finish=str(choice.get("finish_reason") or ""),
        refusal=_text(message.get("refusal")),
        usage=usage,
        model=_name(body),
        limits=limits,
    )


def embeddings(body: Any, count: int, dimensions: int | None, limits: Limits) -> EmbeddingReply:
    """Raises NotAReply unless there is one finite vector of one length (``dimensions``, if given) per text."""
    import numpy as np

    usage = usage_of(body)

    def wrong(message: str) -> NotAReply:
        return NotAReply(message, usage)

    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or len(data) != count:
        raise wrong(f"{len(data) if isinstance(data, list) else 'no'} vectors for {count} texts")
    rows: dict[int, np.ndarray] = {}
    for place, entry in enumerate(data):
        try:
            index = entry.get("index", place)
            rows[int(place if index is None else index)] = _vector(entry["embedding"])
        except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
            raise wrong(f"vector {place} cannot be read ({type(error).__name__})") from None
    if sorted(rows) != list(range(count)):
        raise wrong("the vectors' indices are not those of the texts")
    lengths = sorted({len(row) for row in rows.values()})
    if len(lengths) != 1 or lengths[0] == 0 or (dimensions is not None and lengths[0] != dimensions):
        raise wrong(f"vectors of {lengths} dimensions, {dimensions or 'one length'} wanted")
    vectors = np.stack([rows[place] for place in range(count)])
    if not np.isfinite(vectors).all():
        raise wrong("vectors with values that are not finite")
    return EmbeddingReply(vectors, usage, _name(body), limits)


def usage_of(body: Any) -> Usage | None:
    """Tokens as counted by the provider; None where it did not count."""
    counted = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(counted, dict):
        return None
    details = counted.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
    given, made = _count(counted.get("prompt_tokens")), _count(counted.get("completion_tokens"))
    return Usage(given, made, min(cached, given)) if given or made else None


def _count(value: Any) -> int:
    """A number of tokens; 0 for what cannot be one (JSON has numbers without end), so that it is estimated instead."""
    return int(value) if isinstance(value, (int, float)) and 0 <= value <= _MOST_TOKENS else 0


def _text(content: Any) -> str:
    """A message's text; parts of it are joined."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _name(body: dict[str, Any]) -> str:
    name = body.get("model")
    return name if isinstance(name, str) else ""


def _vector(embedded: Any) -> np.ndarray:
    import numpy as np

    if isinstance(embedded, str):
        return np.frombuffer(base64.b64decode(embedded, validate=True), "<f4").astype(np.float32, copy=False)
    return np.asarray(embedded, np.float32).reshape(-1)
