"""Splits by group: no leak, fixed as the table grows."""

from __future__ import annotations

from collections import Counter

from dataset_project.augmentation.sentences.splitting import splits_by_group


def _rows(groups: int, each: int = 3) -> list[dict[str, str]]:
    return [{"group": f"g{n:04d}", "text": f"text {n} {m}"} for n in range(groups) for m in range(each)]


def test_shares_are_about_70_15_15():
    counts = Counter(splits_by_group(_rows(2_000), 42).values())
    assert 0.66 < counts["train"] / 2_000 < 0.74
    assert all(0.12 < counts[split] / 2_000 < 0.18 for split in ("val", "test"))


def test_a_groups_split_hangs_on_nothing_else():
    few, many = splits_by_group(_rows(50), 42), splits_by_group(list(reversed(_rows(300))), 42)
    assert few == {group: many[group] for group in few}
    assert few != splits_by_group(_rows(50), 43)


def test_groups_that_share_a_text_share_a_split():
    rows = _rows(200)
    splits = splits_by_group(rows, 42)
    one, other = (next(group for group, split in splits.items() if split == wanted) for wanted in ("train", "test"))
    shared = [*rows, {"group": one, "text": "The  same"}, {"group": other, "text": "the same "}]
    together = splits_by_group(shared, 42)
    assert together[one] == together[other] == splits[min(one, other)]
    assert {group: together[group] for group in splits if group not in (one, other)} == {
        group: splits[group] for group in splits if group not in (one, other)
    }
