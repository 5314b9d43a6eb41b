import json
import random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.forecasting.normalisation import Moments, Normalisation
from dataset_project.simulations.forecasting.training import (
    gather_batches,
    gather_windows,
    training_schema,
)
from dataset_project.simulations.forecasting.windows import forecast_windows
from dataset_project.simulations.schemas import SPLITS
from dataset_project_tests.simulations.synthetic import make_patients, make_series, replace_column, write_training_files

SETTINGS = SimulationSettings(days=4)


def block_of(first):
    patients = make_patients(6, first)
    series = make_series(patients, seed=first + 1)
    return patients, series, forecast_windows(series, patients, SETTINGS)


@pytest.fixture(scope="module")
def block():
    return block_of(0)


@pytest.mark.parametrize("n_history", [24, 72])
def test_each_window_holds_its_own_samples(block, n_history):
    _, series, windows = block
    gathered = gather_windows(series, windows, n_history)
    assert gathered.schema.equals(training_schema(n_history), check_metadata=True)
    gathered.validate(full=True)
    wanted = windows.filter(pc.and_(windows["valid"], pc.equal(windows["n_history"], n_history)))
    assert gathered["window_id"].to_pylist() == wanted["window_id"].to_pylist()
    for name in set(gathered.schema.names) - {"cgm", "insulin", "carbs"}:
        assert gathered[name].to_pylist() == wanted[name].to_pylist(), name
    rows = {name: i * 1152 for i, name in enumerate(dict.fromkeys(series["patient_id"].to_pylist()))}
    cgm = series["cgm_mgdl"].to_numpy()
    insulin = series["basal_u"].to_numpy() + series["bolus_u"].to_numpy()
    carbs = series["carbs_announced_g"].to_numpy()
    for row in gathered.to_pylist()[:: max(1, gathered.num_rows // 200)]:
        last = rows[row["patient_id"]] + row["anchor_minute"] // 5
        own = slice(last - n_history + 1, last + 1)
        assert row["cgm"] == cgm[own].tolist()
        assert row["insulin"] == insulin[own].tolist()
        assert row["carbs"] == carbs[own].tolist()


def test_changing_values_after_the_anchor_changes_no_feature(block):
    _, series, windows = block
    minute = series["minute"].to_numpy()
    cut = 3 * 1440
    changed = series
    for name in ("cgm_mgdl", "basal_u", "bolus_u", "carbs_announced_g", "plasma_mgdl"):
        values = series[name].to_numpy().copy()
        values[minute > cut] = 77
        changed = replace_column(changed, name, values)
    early = windows.filter(pc.less_equal(windows["anchor_minute"], cut))
    before, after = gather_windows(series, early, 24), gather_windows(changed, early, 24)
    assert before.num_rows > 1000
    assert all(before[name].equals(after[name]) for name in ("cgm", "insulin", "carbs"))


def test_batches_are_the_whole_and_no_window_gives_no_row(block):
    _, series, windows = block
    whole = gather_windows(series, windows, 24)
    batches = list(gather_batches(series, windows, 24, batch_windows=100))
    assert max(batch.num_rows for batch in batches) == 100
    assert pa.Table.from_batches(batches).equals(whole)
    assert gather_windows(series, windows.slice(0, 0), 24).num_rows == 0
    assert gather_windows(series, replace_column(windows, "valid", [False] * windows.num_rows), 24).num_rows == 0


def test_windows_of_other_patients_are_refused(block):
    _, series, _ = block
    _, _, others = block_of(6)
    with pytest.raises(ValueError, match="a patient that the series does not hold"):
        gather_windows(series, others, 24)
    patients, longer, _ = block_of(0)
    with pytest.raises(ValueError, match="leaves the series"):
        gather_windows(make_series(patients, days=3), forecast_windows(longer, patients, SETTINGS), 24)
    with pytest.raises(ValueError, match="positive"):
        training_schema(0)


def test_splits_are_written_block_by_block_and_the_same_every_time(tmp_path):
    blocks = [block_of(first)[1:] for first in (0, 6)]
    contents = []
    for attempt in ("one", "two"):
        folder = tmp_path / attempt
        folder.mkdir()
        written = write_training_files(blocks, folder, 24)
        contents.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert contents[0] == contents[1]
    assert sorted(contents[0]) == ["normalisation.json", "test.parquet", "train.parquet", "val.parquet"]
    seen = {}
    for split in SPLITS:
        table = pq.read_table(tmp_path / "one" / f"{split}.parquet")
        assert set(table["split"].to_pylist()) == {split}
        assert table.num_rows == written.rows[split] > 0
        for archetype in set(table["archetype_id"].to_pylist()):
            assert seen.setdefault(archetype, split) == split
    expected = [
        row["window_id"]
        for _, windows in blocks
        for row in windows.to_pylist()
        if row["n_history"] == 24 and row["valid"] and row["split"] == "train"
    ]
    assert pq.read_table(tmp_path / "one" / "train.parquet")["window_id"].to_pylist() == expected


def test_normalisation_is_fitted_on_train_after_the_warm_up_day(block):
    patients, series, _ = block
    train = [row["patient_id"] for row in patients.to_pylist() if row["split"] == "train"]
    fitted = Normalisation()
    fitted.add(series, train)
    mask = np.isin(np.array(series["patient_id"].to_pylist()), train) & (series["minute"].to_numpy() >= 1440)
    cgm = series["cgm_mgdl"].to_numpy()[mask]
    assert fitted.channels["cgm"].mean == pytest.approx(np.nanmean(cgm.astype(float)), rel=1e-9)
    assert fitted.channels["cgm"].std == pytest.approx(np.nanstd(cgm.astype(float)), rel=1e-9)
    # Values of other splits and of the warm-up day reach nothing.
    changed = series["cgm_mgdl"].to_numpy().copy()
    changed[~mask] = 500
    again = Normalisation()
    again.add(replace_column(series, "cgm_mgdl", changed), train)
    assert again.to_json() == fitted.to_json()
    none = Normalisation()
    none.add(series, [])
    with pytest.raises(ValueError, match="no train samples"):
        none.to_json()


def test_normalisation_does_not_depend_on_order_and_survives_json():
    blocks = [block_of(first)[:2] for first in (0, 6, 12)]
    texts = set()
    for order in ((0, 1, 2), (2, 0, 1)):
        merged = Normalisation()
        for i in order:
            part = Normalisation()
            patients, series = blocks[i]
            part.add(series, patients["patient_id"].to_pylist())
            merged.merge(part)
        texts.add(merged.to_json())
    assert len(texts) == 1
    text = texts.pop()
    assert Normalisation.from_json(text).to_json() == text
    assert json.loads(text)["fitted_on"] == "train"


def test_moments_are_exact_and_refuse_what_they_cannot_hold():
    values = np.array([random.Random(3).randint(0, 50_000) for _ in range(200_000)]) / 1000
    moments = Moments(1000)
    moments.add(values)
    steps = [round(v * 1000) for v in values.tolist()]
    assert (moments.count, moments.total, moments.squares) == (len(steps), sum(steps), sum(s * s for s in steps))
    constant = Moments(10)
    constant.add(np.full(5, 2.0))
    assert (constant.mean, constant.std) == (2.0, 1.0)
    with pytest.raises(ValueError, match="exceeds"):
        Moments(100_000).add(np.array([1e4]))
    with pytest.raises(ValueError, match="resolutions differ"):
        Moments(1).merge(Moments(2))
