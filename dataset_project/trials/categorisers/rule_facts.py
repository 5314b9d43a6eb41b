"""What every rule categoriser returns. The reading rules themselves stand in one module per scheme beside this one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RuleFacts:
    """A trial's facts as read by rules.

    facts: the scheme's own facts by name (`confidence` and `notes` are not among them). confidence: 0 to 1, how far the
    rules are to be trusted for this trial. conflict: signals in the trial disagree, so a cascade should ask a model.
    notes: what was found and where, for a person.
    """

    facts: dict
    confidence: float
    conflict: bool
    notes: str
