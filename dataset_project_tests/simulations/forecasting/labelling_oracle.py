"""Labels by the book: plain Python loops over one anchor, written from the specification alone."""

from __future__ import annotations


def labels_at(plasma: list[float], t: int) -> dict[str, bool]:
    """The 24 labels of the anchor at sample ``t``."""
    result = {}
    for side, threshold in (("hypo", 70), ("hypo", 54), ("hyper", 180), ("hyper", 250)):
        for horizon in (30, 60):
            future = plasma[t + 1 : t + 1 + horizon // 5]
            beyond = [value < threshold if side == "hypo" else value > threshold for value in future]
            run = longest = 0
            for flag in beyond:
                run = run + 1 if flag else 0
                longest = max(longest, run)
            result[f"{side}{threshold}_any_{horizon}"] = any(beyond)
            result[f"{side}{threshold}_event_{horizon}"] = longest >= 3
            result[f"{side}{threshold}_incident_{horizon}"] = any(beyond) and 70 <= plasma[t] <= 180
    return result
