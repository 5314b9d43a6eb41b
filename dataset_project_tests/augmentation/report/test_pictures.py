import io

import numpy as np
import pytest

from dataset_project.augmentation.report import pictures
from dataset_project.augmentation.report.downstream import CONTROL, baselines, compare
from dataset_project.augmentation.report.drawing import readable
from dataset_project.drawing import shortened
from dataset_project_tests.augmentation.report.synthetic import did_not_run, pairs, ran, scores, singletons

BASELINE = baselines(scores(CONTROL, 0))
ABSENT = did_not_run("homophone", "unavailable", "needs the resource homophones")


def drawn_gains(outcomes) -> bytes:
    gains = {one.combo_id: scores(one.combo_id, 0.004 * (at % 5 - 2) + 0.001) for at, one in enumerate(outcomes)}
    return pictures.downstream_png(compare({**gains, CONTROL: scores(CONTROL, 0)}), BASELINE)


DRAWN = {
    "yield": lambda: pictures.yield_by_method_png([*singletons(), ABSENT]),
    "yield_of_few": lambda: pictures.yield_by_method_png([ran("keyboard"), ran("copy")]),
    "similarity": lambda: pictures.similarity_by_method_png(singletons(), 0.55, 0.95, "tfidf"),
    "pairs": lambda: pictures.pair_yield_png([*singletons(), *pairs()[::3]]),
    "pairs_of_few": lambda: pictures.pair_yield_png([ran("aeda"), ran("ocr"), ran("aeda", "ocr"), ran("ocr", "aeda")]),
    "downstream": lambda: drawn_gains([one for one in singletons() if not one.is_control]),
    "downstream_of_many": lambda: drawn_gains(pairs()[:80]),
    "downstream_of_one": lambda: drawn_gains([ran("keyboard")]),
}


def pixels(png: bytes) -> np.ndarray:
    from matplotlib.image import imread

    return imread(io.BytesIO(png), format="png")


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_wide_enough_not_blank_not_cut_off_and_the_same_every_time_whatever_the_users_style(name):
    import matplotlib

    png = DRAWN[name]()
    image = pixels(png)
    assert image.shape[1] == 1200 and 250 < image.shape[0] < 2200
    ink = (image[:, :, :3] < 0.95).any(axis=2)
    assert 0.02 < ink.mean() < 0.9
    # Nothing is cut off: text or lines that left the figure would touch its border.
    assert not (ink[0].any() or ink[-1].any() or ink[:, 0].any() or ink[:, -1].any())
    with matplotlib.rc_context({"font.size": 23, "axes.facecolor": "black", "savefig.dpi": 50}):
        assert DRAWN[name]() == png
    assert b"Software" not in png and b"tIME" not in png and b"Creation" not in png


def test_what_is_drawn_follows_the_data():
    outcomes = [ran("keyboard"), ran("copy")]
    other = [ran("keyboard", seed=1), ran("copy")]
    assert pictures.yield_by_method_png(outcomes) != pictures.yield_by_method_png(other)
    band = [pictures.similarity_by_method_png(outcomes, low, 0.95, "tfidf") for low in (0.55, 0.6)]
    assert band[0] != band[1]


def test_shares_of_a_bar_are_all_of_its_attempts():
    named = {name for _, _, names in pictures._FATES for name in names}
    for outcome in singletons():
        assert sum(outcome.count(name) for name in named) == outcome.count("candidates")


def test_nothing_to_draw_is_refused():
    control_only = compare({CONTROL: scores(CONTROL, 0)})
    for draw in (
        lambda: pictures.yield_by_method_png([ran("aeda", "ocr")]),
        lambda: pictures.similarity_by_method_png([ABSENT], 0.55, 0.95, "tfidf"),
        lambda: pictures.pair_yield_png(singletons()),
        lambda: pictures.downstream_png(control_only, BASELINE),
    ):
        with pytest.raises(ValueError):
            draw()


def test_names_are_written_as_people_write_them():
    assert readable("tfidf_insert+ocr+wordnet_synonym") == "TF-IDF insert+OCR+WordNet synonym"
    assert shortened("one\n two  three", 8) == "one two…" and shortened("short", 8) == "short"
