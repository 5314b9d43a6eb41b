"""Pools that the tests share: big enough for every rarity, drawn once."""

from __future__ import annotations

from datetime import date

import pytest

from dataset_project.documents.identities import pools

REFERENCE = date(2024, 6, 1)


@pytest.fixture(scope="session")
def people() -> pools.Pools:
    return pools.generate(0, REFERENCE, patients=3000, providers=200, facilities=24, employees=150)
