"""Each validator passes on good files and fails, alone, on the corruption it is for."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.forecasting.baselines import BaselineErrors
from dataset_project.simulations.forecasting.windows import forecast_windows
from dataset_project.simulations.schemas import LABEL_COLUMNS, SPLITS
from dataset_project.simulations.validation import cohort_rules, training_rules, window_rules
from dataset_project.simulations.validation.label_rules import windows_recomputed
from dataset_project_tests.simulations.synthetic import make_patients, make_series, replace_column, write_training_files

SETTINGS = SimulationSettings(days=4)
PATIENTS = make_patients(12)
SERIES = make_series(PATIENTS)
WINDOWS = forecast_windows(SERIES, PATIENTS, SETTINGS)
GOOD = {"patients": PATIENTS, "glucose_timeseries": SERIES, "forecast_windows": WINDOWS}

VALIDATORS = (
    cohort_rules.patients_are_sound,
    cohort_rules.series_is_complete,
    cohort_rules.series_is_credible,
    cohort_rules.series_matches_patients,
    cohort_rules.sensor_is_credible,
    window_rules.windows_are_the_planned_ones,
    window_rules.splits_do_not_leak,
    window_rules.prevalence_is_credible,
    windows_recomputed,
)


def published(folder, **changed):
    files = {}
    for name, table in (GOOD | changed).items():
        files[name] = folder / f"{name}.parquet"
        pq.write_table(table, files[name])
    return files


def edited(table, name, row, value):
    """One value of one row replaced."""
    values = table[name].to_pylist()
    values[row] = value
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name),
                            pa.array(values).cast(table.schema.field(name).type))  # fmt: skip


def everywhere(name, change):
    return replace_column(SERIES, name, change(SERIES[name].to_numpy().astype(float)))


def noiseless():
    return everywhere("cgm_mgdl", lambda cgm: np.where(np.isnan(cgm), np.nan, np.round(SERIES["interstitial_mgdl"])))


def mostly_low(share):
    """An absurd cohort: most minutes below 70 mg/dL, as was once published."""
    low = np.random.default_rng(0).random(SERIES.num_rows) < share
    return replace_column(SERIES, "plasma_mgdl", np.where(low, 45, SERIES["plasma_mgdl"].to_numpy()))


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return published(tmp_path_factory.mktemp("good"))


@pytest.mark.parametrize("check", VALIDATORS, ids=lambda check: check.__name__)
def test_good_files_pass(check, good):
    finding = check(good, SETTINGS)
    assert finding.passed, finding
    assert finding.summary and finding.figures
    json.dumps(dict(finding.figures))


CORRUPTIONS = [
    # (validator, table, corrupted table, words of the summary)
    ("patients_are_sound", "patients", lambda: edited(PATIENTS, "patient_id", 3, "patient_0000002"), "repeated"),
    ("patients_are_sound", "patients", lambda: edited(PATIENTS, "patient_id", 3, "kim"), "malformed ids"),
    ("patients_are_sound", "patients", lambda: edited(PATIENTS, "seed", 3, 1002), "repeated seeds"),
    ("patients_are_sound", "patients", lambda: edited(PATIENTS, "split", 0, "test"), "archetypes in two splits"),
    ("patients_are_sound", "patients", lambda: edited(PATIENTS, "split", 0, "holdout"), "unknown splits"),
    ("patients_are_sound", "patients", lambda: edited(PATIENTS, "cohort", 0, "elderly"), "unknown cohorts"),
    ("patients_are_sound", "patients", lambda: edited(PATIENTS, "cr_g_per_u", 4, 14.0), "500 and 1800"),
    ("patients_are_sound", "patients", lambda: edited(PATIENTS, "body_weight_kg", 4, 900.0), "outside the bands"),
    ("patients_are_sound", "patients", lambda: pa.concat_tables([PATIENTS.slice(0, 5), PATIENTS.slice(6)]), "missing"),
    ("patients_are_sound", "patients", lambda: PATIENTS.drop_columns(["seed"]), "schema"),
    ("patients_are_sound", "patients", lambda: PATIENTS.slice(0, 0), "no patients"),
    ("series_is_complete", "glucose_timeseries", lambda: SERIES.slice(0, SERIES.num_rows - 1), "5 minute grid"),
    ("series_is_complete", "glucose_timeseries",
     lambda: pa.concat_tables([SERIES.slice(0, 700), SERIES.slice(699)]), "5 minute grid"),
    ("series_is_complete", "glucose_timeseries", lambda: edited(SERIES, "minute", 77, 386), "5 minute grid"),
    ("series_is_complete", "glucose_timeseries",
     lambda: SERIES.take(np.arange(SERIES.num_rows).reshape(12, -1).T.ravel()), "out of order"),
    ("series_is_complete", "glucose_timeseries", lambda: edited(SERIES, "cgm_mgdl", 77, 25.0), "impossible CGM"),
    ("series_is_complete", "glucose_timeseries", lambda: edited(SERIES, "bolus_u", 77, -1.0), "negative"),
    ("series_is_complete", "glucose_timeseries", lambda: edited(SERIES, "carbs_eaten_g", 7, float("nan")), "negative"),
    ("series_is_complete", "glucose_timeseries", lambda: edited(SERIES, "plasma_mgdl", 77, 700.0), "unflagged plasma"),
    ("series_is_complete", "glucose_timeseries", lambda: edited(SERIES, "interstitial_mgdl", 7, np.inf), "infinite"),
    ("series_is_complete", "glucose_timeseries",
     lambda: replace_column(SERIES, "flagged", np.arange(SERIES.num_rows) % 25 == 0), "flagged share"),
    ("series_is_complete", "glucose_timeseries",
     lambda: everywhere("cgm_mgdl", lambda cgm: np.where(np.arange(cgm.size) % 2 == 0, np.nan, cgm)), "missing CGM"),
    ("series_is_complete", "glucose_timeseries", lambda: SERIES.slice(0, 0), "no samples"),
    ("series_is_credible", "glucose_timeseries", lambda: mostly_low(0.99), "share_below_70"),
    ("series_is_credible", "glucose_timeseries", lambda: mostly_low(0.08), "share_below_54"),
    ("series_is_credible", "glucose_timeseries",
     lambda: everywhere("plasma_mgdl", lambda plasma: plasma + 120), "mean_mgdl"),
    ("series_is_credible", "glucose_timeseries",
     lambda: everywhere("plasma_mgdl", lambda p: np.where(np.arange(p.size) < 1152, 60.0, p)), "too long below 70"),
    ("series_is_credible", "glucose_timeseries",
     lambda: everywhere("plasma_mgdl", lambda p: np.where(np.arange(p.size) < 1152, 120.0, p)), "does not move"),
    ("series_matches_patients", "patients", lambda: PATIENTS.slice(1), "series without patient"),
    ("series_matches_patients", "glucose_timeseries", lambda: SERIES.slice(1152), "patients without series"),
    ("sensor_is_credible", "glucose_timeseries", lambda: noiseless(), "sd_mgdl"),
    ("sensor_is_credible", "glucose_timeseries",
     lambda: everywhere("cgm_mgdl", lambda cgm: np.clip(cgm + 10, 39, 600)), "mean_mgdl"),
    ("windows_are_the_planned_ones", "forecast_windows", lambda: WINDOWS.slice(1), "windows absent"),
    ("windows_are_the_planned_ones", "forecast_windows",
     lambda: pa.concat_tables([WINDOWS, WINDOWS.slice(0, 3)]), "repeated window ids"),
    ("windows_are_the_planned_ones", "forecast_windows",
     lambda: WINDOWS.take(np.arange(WINDOWS.num_rows)[::-1]), "out of order"),
    ("windows_are_the_planned_ones", "forecast_windows",
     lambda: edited(WINDOWS, "anchor_minute", 9, 1440), "misdescribed"),
    ("windows_are_the_planned_ones", "forecast_windows",
     lambda: edited(WINDOWS, "patient_id", 9, "patient_0000005"), "misdescribed"),
    ("windows_are_the_planned_ones", "forecast_windows", lambda: edited(WINDOWS, "window_id", 0, 7), "not planned"),
    ("windows_are_the_planned_ones", "forecast_windows", lambda: WINDOWS.drop_columns(["valid"]), "schema"),
    ("splits_do_not_leak", "patients", lambda: edited(PATIENTS, "split", 3, "train"), "archetypes in two splits"),
    ("splits_do_not_leak", "forecast_windows", lambda: edited(WINDOWS, "split", 9, "test"), "patients in two splits"),
    ("splits_do_not_leak", "forecast_windows",
     lambda: edited(WINDOWS, "archetype_id", 9, "archetype_0000001"), "patients of two archetypes"),
    ("prevalence_is_credible", "forecast_windows",
     lambda: replace_column(WINDOWS, "hypo70_any_60", [True] * WINDOWS.num_rows), "hypo70_any_60 outside"),
    ("prevalence_is_credible", "forecast_windows",
     lambda: replace_column(WINDOWS, "hyper180_any_60", [True] * WINDOWS.num_rows), "hyper180_any_60 outside"),
    ("prevalence_is_credible", "forecast_windows",
     lambda: replace_column(WINDOWS, "hyper250_any_60", [True] * WINDOWS.num_rows), "hyper250_any_60 outside"),
    ("prevalence_is_credible", "forecast_windows",
     lambda: replace_column(WINDOWS, "valid", [False] * WINDOWS.num_rows), "valid outside"),
    ("prevalence_is_credible", "forecast_windows", lambda: WINDOWS.slice(0, 0), "no windows"),
    ("windows_recomputed", "forecast_windows", lambda: edited(WINDOWS, "plasma_60_mgdl", 5, 1.0), "plasma_60_mgdl"),
    ("windows_recomputed", "forecast_windows", lambda: edited(WINDOWS, "cgm_30_mgdl", 5, None), "cgm_30_mgdl differs"),
    ("windows_recomputed", "forecast_windows",
     lambda: edited(WINDOWS, "valid", 5, not WINDOWS["valid"][5].as_py()), "valid differs: 1"),
    ("windows_recomputed", "glucose_timeseries", lambda: SERIES.slice(1152), "windows without samples"),
    ("windows_recomputed", "glucose_timeseries", lambda: edited(SERIES, "flagged", 600, True), "valid differs"),
    ("windows_recomputed", "forecast_windows", lambda: WINDOWS.slice(0, 0), "no windows"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "table", "corrupt", "words"), CORRUPTIONS, ids=[f"{c[0]}-{i}" for i, c in enumerate(CORRUPTIONS)]
)
def test_a_corruption_is_found_and_named(name, table, corrupt, words, good, tmp_path):
    check = next(check for check in VALIDATORS if check.__name__ == name)
    bad = tmp_path / "bad.parquet"
    pq.write_table(corrupt(), bad)
    finding = check({**good, table: bad}, SETTINGS)
    assert not finding.passed
    assert words in finding.summary


@pytest.mark.parametrize("label", LABEL_COLUMNS)
def test_one_flipped_label_among_thousands_is_found(label, good, tmp_path):
    flipped = WINDOWS[label].to_numpy(zero_copy_only=False).copy()
    row = 4321
    flipped[row] = not flipped[row]
    bad = tmp_path / "bad.parquet"
    pq.write_table(replace_column(WINDOWS, label, flipped), bad)
    finding = windows_recomputed({**good, "forecast_windows": bad}, SETTINGS)
    assert not finding.passed and finding.summary == f"{label} differs: 1"


def test_labels_of_another_window_are_found(good, tmp_path):
    """The predecessor joined results by position: labels landed on the wrong windows."""
    shifted = WINDOWS
    for name in LABEL_COLUMNS:
        shifted = replace_column(shifted, name, np.roll(WINDOWS[name].to_numpy(zero_copy_only=False), 1000))
    bad = tmp_path / "bad.parquet"
    pq.write_table(shifted, bad)
    assert not windows_recomputed({**good, "forecast_windows": bad}, SETTINGS).passed


def test_settings_are_part_of_what_is_expected(good):
    strides = SimulationSettings(days=4, training_stride_minutes=10)
    assert not window_rules.windows_are_the_planned_ones(good, strides).passed
    assert not cohort_rules.series_is_complete(good, SimulationSettings(days=5)).passed
    assert not cohort_rules.series_is_complete(good, SimulationSettings(days=4, sensor_gaps=False)).passed


def test_a_leak_between_partitions_is_found_only_when_they_are_seen_together(tmp_path):
    other = make_patients(6, first=12)
    moved = replace_column(other, "split", ["test"] * 6)
    paths = []
    for name, table in (("a", PATIENTS), ("b", moved)):
        paths.append(tmp_path / f"{name}.parquet")
        pq.write_table(table, paths[-1])
        assert window_rules.splits_do_not_leak({"patients": paths[-1]}, SETTINGS).passed
    finding = window_rules.splits_do_not_leak({"patients": paths}, SETTINGS)
    assert not finding.passed and "archetypes in two splits: 5" in finding.summary


def test_few_patients_get_wider_bands_and_an_absurd_one_is_still_refused(tmp_path):
    path = tmp_path / "one.parquet"
    one = everywhere("plasma_mgdl", lambda plasma: plasma + 60).slice(0, 1152)
    pq.write_table(one, path)
    finding = cohort_rules.series_is_credible({"glucose_timeseries": path}, SETTINGS)
    low, high = cohort_rules.COHORT_BANDS["share_in_range"]
    assert finding.passed and not low <= finding.figures["share_in_range"] <= high
    pq.write_table(mostly_low(0.99).slice(0, 1152), path)
    assert not cohort_rules.series_is_credible({"glucose_timeseries": path}, SETTINGS).passed


def test_few_readings_are_reported_not_judged(tmp_path):
    path = tmp_path / "short.parquet"
    pq.write_table(noiseless().slice(0, 2 * 1152), path)  # 2 patients, 3 days after warm-up
    finding = cohort_rules.sensor_is_credible({"glucose_timeseries": path}, SETTINGS)
    assert finding.passed and "too few to judge" in finding.summary


def test_what_cannot_be_read_is_a_failed_finding(good, tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 this is not Parquet PAR1")
    absent = tmp_path / "absent.parquet"
    for path in (broken, absent):
        for check in VALIDATORS:
            finding = check({"patients": path, "glucose_timeseries": path, "forecast_windows": path}, SETTINGS)
            assert not finding.passed and "cannot be read" in finding.summary
    with pytest.raises(KeyError, match="needs the files of 'patients'"):
        cohort_rules.patients_are_sound({"forecast_windows": good["forecast_windows"]}, SETTINGS)


def test_ridge_must_beat_persistence_on_every_judged_split():
    good = [BaselineErrors(s, 1000, {30: 20.0, 60: 30.0}, {30: 15.0, 60: 23.0}) for s in ("val", "test")]
    assert cohort_rules.ridge_beats_persistence(good).passed
    worse = [good[0], replace(good[1], ridge={30: 15.0, 60: 31.0})]
    finding = cohort_rules.ridge_beats_persistence(worse)
    assert not finding.passed and "test at 60 min not beaten" in finding.summary
    assert finding.figures["test_ridge_60_mgdl"] == 31.0
    assert cohort_rules.ridge_beats_persistence([good[0], replace(worse[1], windows=10)]).passed
    assert not cohort_rules.ridge_beats_persistence([]).passed


@pytest.fixture(scope="module")
def training(good, tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    block = (pq.read_table(good["glucose_timeseries"]), pq.read_table(good["forecast_windows"]))
    write_training_files([block], folder, 24)
    files = {split: folder / f"{split}.parquet" for split in SPLITS}
    return {**good, **files, "normalisation": folder / "normalisation.json"}


TRAINING_VALIDATORS = (
    training_rules.training_files_match_windows,
    training_rules.training_samples_match_series,
    training_rules.normalisation_is_of_train,
)


@pytest.mark.parametrize("check", TRAINING_VALIDATORS, ids=lambda check: check.__name__)
def test_good_training_files_pass(check, training):
    finding = check(training, SETTINGS)
    assert finding.passed, finding


def reversed_histories(table):
    values = np.array(table["cgm"].to_pylist(), np.float32)[:, ::-1].reshape(-1)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values), type=table.schema.field("cgm").type)
    return table.set_column(table.schema.get_field_index("cgm"), table.schema.field("cgm"), lists)


@pytest.mark.parametrize(
    ("check", "corrupt", "words"),
    [
        (0, lambda val, test: val.slice(1), "valid windows absent: 1"),
        (0, lambda val, test: pa.concat_tables([val, val.slice(0, 1)]), "repeated windows: 1"),
        (0, lambda val, test: pa.concat_tables([val, test.slice(0, 1)]), "another split's file: 1"),
        (0, lambda val, test: edited(val, "window_id", 0, 10**15), "should not be there: 1"),
        (0, lambda val, test: edited(val, "hypo54_event_30", 0, not val["hypo54_event_30"][0].as_py()), "index row: 1"),
        (0, lambda val, test: val.drop_columns(["cgm"]), "schema"),
        (1, lambda val, test: reversed_histories(val), "other samples"),
    ],
)
def test_a_corrupted_training_file_is_found(check, corrupt, words, training, tmp_path):
    val, test = pq.read_table(training["val"]), pq.read_table(training["test"])
    bad = tmp_path / "bad.parquet"
    pq.write_table(corrupt(val, test), bad)
    finding = TRAINING_VALIDATORS[check]({**training, "val": bad}, SETTINGS)
    assert not finding.passed and words in finding.summary


def test_normalisation_fitted_on_everything_is_found(training, tmp_path):
    content = json.loads(training["normalisation"].read_text())
    everyone = SERIES["cgm_mgdl"].to_numpy().astype(float)
    content["channels"]["cgm"]["mean"] = float(np.nanmean(everyone))
    bad = tmp_path / "normalisation.json"
    bad.write_text(json.dumps(content))
    finding = training_rules.normalisation_is_of_train({**training, "normalisation": bad}, SETTINGS)
    assert not finding.passed and "cgm mean" in finding.summary
