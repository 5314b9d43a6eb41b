"""Streams keyed by names."""

from __future__ import annotations

import pytest

from dataset_project.storage.seeding import seed_for, stream


def test_streams_are_fixed_and_apart():
    # Literals: these values decide every byte the project has ever published.
    assert seed_for(42, "simulations", "patient", 7) == 2363173708786299290
    assert (
        stream(42, "a", 1).integers(0, 1_000_000, 3).tolist() == stream(42, "a", 1).integers(0, 1_000_000, 3).tolist()
    )
    names = [("a", "b"), ("ab",), ("a", 1), ("a", "1"), ("a",), ("a", 1, 1)]
    assert len({seed_for(42, *each) for each in names}) == len(names)
    assert seed_for(42, "a") != seed_for(43, "a")
    assert all(0 <= seed_for(master, "x") < 2**63 for master in range(200))


@pytest.mark.parametrize("name", [1.5, None, True, ("a",)])
def test_only_strings_and_integers_name_streams(name):
    with pytest.raises(TypeError, match="named by strings and integers"):
        seed_for(1, name)
