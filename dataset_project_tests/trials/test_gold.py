"""Known categories: the sample's, a file of the user's, and what is wrong with one."""

from __future__ import annotations

import pytest

from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.gold import InvalidGold, gold_hash, read_gold
from dataset_project.trials.records.source import read_source
from dataset_project.trials.schemes.loading import load_scheme

AREAS = load_scheme("therapeutic_area")
TIERS = load_scheme("kras_g12d_crc")
HEAD = "nct_id,scheme,categories\n"


def _settings(tmp_path, content: str | bytes) -> TrialSettings:
    path = tmp_path / "gold.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return TrialSettings(source="mine.csv", gold=str(path))


def test_a_users_gold_is_read_by_scheme_and_in_order_of_ids(tmp_path):
    content = (
        f"{HEAD}NCT00000002,therapeutic_area,skin | respiratory|skin\n nct00000001 , therapeutic_area ,other\n"
        "NCT00000001,kras_g12d_crc,1.5\n"
    )
    settings = _settings(tmp_path, content)
    gold = read_gold(settings, AREAS)
    assert gold == {"NCT00000001": ("other",), "NCT00000002": ("skin", "respiratory")}
    assert list(gold) == sorted(gold)
    assert read_gold(settings, TIERS) == {"NCT00000001": ("1.5",)}


def test_columns_may_stand_in_any_order_among_others_after_a_byte_order_mark(tmp_path):
    content = '\ufeffnote,categories,nct_id,scheme\r\n"a, b",skin,NCT00000001,therapeutic_area\r\n'
    assert read_gold(_settings(tmp_path, content), AREAS) == {"NCT00000001": ("skin",)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nct_id,categories\n", r"gold.csv: no column scheme; it has nct_id, categories"),
        ("nct_id;scheme;categories\n", r"no column nct_id, scheme, categories; it has nct_id;scheme;categories"),
        (f"{HEAD}NCT00000001,therapeutic_area,lungs\n", r"line 2: 'lungs' is no category of therapeutic_area; it has "),
        (f"{HEAD}NCT00000001,therapeutic_area,|\n", "line 2: no category"),
        (f"{HEAD}NCT00000001,therapeutic_area\n", "line 2: no category"),
        (f"{HEAD}\nNCT1,therapeutic_area,skin\n", "line 3: 'NCT1' is not NCT and eight digits"),
        (f"{HEAD}NCT00000001,therapeutic_area,skin\nNCT00000001,therapeutic_area,other\n", "line 3: .* named twice"),
        (f"{HEAD}NCT00000001,therapeutic-area,skin\n", "no trial of the scheme therapeutic_area: .*'therapeutic-area'"),
        (HEAD, "names no trial of the scheme therapeutic_area: it has no rows"),
        (HEAD.encode() + b"NCT00000001,therapeutic_area,\xff\n", "is not UTF-8: byte "),
    ],
)
def test_a_gold_file_that_cannot_be_used_says_where_and_why_on_one_line(tmp_path, content, said):
    with pytest.raises(InvalidGold, match=said) as raised:
        read_gold(_settings(tmp_path, content), AREAS)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_an_error_and_not_the_same_as_no_gold(tmp_path):
    gone = TrialSettings(source="mine.csv", gold=str(tmp_path / "gone.csv"))
    with pytest.raises(InvalidGold, match=r"gone\.csv cannot be read: No such file.*DATASET_TRIALS__GOLD"):
        read_gold(gone, AREAS)
    without = TrialSettings(source="mine.csv")
    assert gold_hash(gone) != gold_hash(without), "the report would be taken for current, and the error never told"
    assert read_gold(without, AREAS) == {}


def test_the_hash_follows_the_content(tmp_path):
    one = gold_hash(_settings(tmp_path, f"{HEAD}NCT00000001,therapeutic_area,skin\n"))
    assert one == gold_hash(_settings(tmp_path, f"{HEAD}NCT00000001,therapeutic_area,skin\n"))
    assert one != gold_hash(_settings(tmp_path, f"{HEAD}NCT00000001,therapeutic_area,other\n"))


def test_the_samples_gold_is_of_its_trials_and_only_used_with_it():
    settings = TrialSettings()
    ids = {trial.nct_id for trial in read_source(None, columns={}, api_url=settings.api_url).trials}
    gold = read_gold(settings, AREAS)
    assert gold and {name for name in gold if name.startswith("NCT9000")} <= ids | set(gold)
    assert set(gold) & ids
    assert read_gold(settings.model_copy(update={"source": "mine.csv"}), AREAS) == {}
