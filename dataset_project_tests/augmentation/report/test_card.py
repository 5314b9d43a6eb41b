import re

import pyarrow as pa

from dataset_project.augmentation.configuration import AugmentationSettings
from dataset_project.augmentation.report.card import card
from dataset_project.augmentation.report.downstream import CONTROL, baselines, compare
from dataset_project_tests.augmentation.report.synthetic import did_not_run, ran, scores, singletons

SOURCES = pa.table(
    {
        "source_id": [f"s{n}" for n in range(10)],
        "post_id": [f"p{n // 2}" for n in range(10)],
        "text": ["a sentence"] * 10,
        "criterion": ["FATIGUE", "SLEEP"] * 5,
        "label": ["1"] * 8 + ["0"] * 2,
        "split": ["train"] * 4 + ["val"] * 2 + ["test"] * 4,
    }
)
OUTCOMES = [*singletons(), ran("aeda", "ocr")]
SAMPLE = AugmentationSettings()


def compared(**gains: float) -> pa.Table:
    """Comparison of ``combo_1_<name>`` with exact gains, whose intervals are points."""
    own = {f"combo_1_{name}": scores(f"combo_1_{name}", gain, noise=0) for name, gain in gains.items()}
    return compare({CONTROL: scores(CONTROL, 0), **own})


def test_the_card_has_the_datasets_own_figures_and_leaves_nothing_open():
    text = card(SAMPLE, SOURCES, OUTCOMES, compared(emoji=0.02), baselines(scores(CONTROL, 0)))
    assert not re.search(r"\$\w", text) and "None" not in text and "nan" not in text
    assert "10 in 5 groups: 4 train, 2 val, 4 test" in text
    assert f"{sum(one.count('accepted') for one in OUTCOMES):,}" in text
    assert "2 criteria, labels 0, 1" in text and "tfidf similarity from 0.55 to 0.95" in text
    for licence in ("WordNet licence", "PDDL", "BSD 2-clause", "Faker (MIT)", "nlpaug (MIT)"):
        assert licence in text


def test_best_and_worst_yields_are_listed_and_the_control_is_not():
    text = card(SAMPLE, SOURCES, OUTCOMES)
    others = [one for one in OUTCOMES if not one.is_control]
    ranked = sorted(others, key=lambda one: -one.filled)
    assert f"| `{ranked[0].combo_id}` |" in text and f"| `{ranked[-1].combo_id}` |" in text
    assert f"… {len(others) - 10} more …" in text
    assert "| `combo_1_copy` |" not in text


def test_what_has_no_variants_is_named_with_its_reason_on_one_line():
    text = card(SAMPLE, SOURCES, [ran("keyboard"), did_not_run("emoji", "failed", "ValueError:\n  no | emoji")])
    assert "- `combo_1_emoji` failed: ValueError: no | emoji\n" in text
    assert "Every combination has variants." in card(SAMPLE, SOURCES, [ran("keyboard")])


def test_gains_are_stated_against_copies_with_what_chance_would_give():
    text = card(SAMPLE, SOURCES, OUTCOMES, compared(emoji=0.02, ocr=-0.03), baselines(scores(CONTROL, 0)))
    section = text[text.index("## Does it help?") : text.index("## Limits")]
    assert "5 held-out originals" not in section and "4 held-out originals" in section
    assert len(re.findall(r"\| 1 of 2 \| 1 of 2 \| \+2\.0 \(\+2\.0 to \+2\.0\), `combo_1_emoji` \|", section)) == 2
    assert "by chance alone" in section and "| 100 |" in section and "| 500 |" in section


def test_without_a_comparison_no_gain_is_claimed():
    for nothing in (None, compare({CONTROL: scores(CONTROL, 0)})):
        text = card(SAMPLE, SOURCES, OUTCOMES, nothing)
        assert "no gain is claimed" in text and "above copies" not in text


def test_a_table_of_the_users_own_is_neither_called_fictional_nor_given_a_licence():
    text = card(AugmentationSettings(source="mine.csv"), SOURCES, OUTCOMES)
    assert "Fictional" not in text and "MIT, like the project" not in text
    assert "as the table they come from" in text
    sample = card(SAMPLE, SOURCES, OUTCOMES)
    assert "Fictional sentences, not for clinical use" in sample and "MIT, like the project" in sample


def test_its_code_loads_a_dataset_as_it_says(tmp_path, monkeypatch):
    """The card's own pandas and DuckDB examples, run on a directory laid out as it says."""
    import duckdb
    import pyarrow.parquet as pq

    text = card(SAMPLE, SOURCES, [ran("keyboard")])
    place = tmp_path / re.search(r'read_parquet\("([^"]+)"\)', text).group(1)
    place.parent.mkdir(parents=True)
    table = pa.table(
        {
            "combo_id": ["combo_1_keyboard"] * 5,
            "text": list("abcde"),
            "original_text": list("ABCDE"),
            "sim_tfidf": [0.6, 0.7, 0.8, 0.9, 0.95],
            "split": ["train"] * 4 + ["test"],
            "criterion": ["FATIGUE"] * 5,
            "label": ["1"] * 5,
        }
    )
    pq.write_table(table, place)
    monkeypatch.chdir(tmp_path)
    known: dict[str, object] = {}
    exec(re.search(r"```python\n(.*?)```", text, re.S).group(1), known)
    assert list(known["texts"]) == list("abcd")
    rows = duckdb.sql(re.search(r"```sql\n(.*?)```", text, re.S).group(1)).fetchall()
    assert sorted(row[1] for row in rows) == list("bcd")
