"""Fingerprints: one hash of everything that decides a partition's bytes.

The fingerprint is the only truth for planning, schedules and status. Which parts a dataset has is declared elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical_hash(value: Any) -> str:
    """SHA-256 of ``value`` as canonical JSON (sorted keys, no spaces, no NaN).

    Raises TypeError for what JSON cannot hold, ValueError for NaN and infinities.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(
    *,
    dataset: str,
    partition: str,
    code_version: str,
    configuration: Mapping[str, Any],
    master_seed: int,
    inputs: Mapping[str, str],
    resources: Mapping[str, str],
) -> str:
    """SHA-256 over a partition's identity: code, configuration, seed, input fingerprints and resource versions."""
    return canonical_hash(
        {
            "dataset": dataset,
            "partition": partition,
            "code_version": code_version,
            "configuration": configuration,
            "master_seed": master_seed,
            "inputs": inputs,
            "resources": resources,
        }
    )
