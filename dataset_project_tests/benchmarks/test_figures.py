"""The family-neutral part of the benchmarks."""

from __future__ import annotations

import json

from benchmarks.figures import Figure, arguments, cpu_seconds, finish, paired_medians


def test_a_figure_knows_whether_it_is_met():
    assert Figure("speed", 10, "x/s", 5).met and not Figure("speed", 4, "x/s", 5).met
    assert Figure("error", 4, "mg/dL", 5, "at_most").met and not Figure("error", 6, "mg/dL", 5, "at_most").met
    assert not Figure("error", float("nan"), "mg/dL", 5, "at_most").met
    assert Figure("import", 3, "s").met


def test_finish_writes_a_list_and_fails_when_a_target_is_missed(tmp_path, capsys):
    good, bad = Figure("speed", 10, "x/s", 5, peer="them", ratio=2.0), Figure("size", 10, "MB", 5, "at_most")
    path = tmp_path / "deep" / "figures.json"
    assert finish("t", [good], path) == 0
    assert finish("t", [good, bad], path) == 1
    written = json.loads(path.read_text())
    assert [row["metric"] for row in written] == ["speed", "size"] and [row["met"] for row in written] == [True, False]
    shown = capsys.readouterr().out
    assert "speed" in shown and "NO" in shown and "them" in shown


def test_options_and_clocks():
    options = arguments("d", ["--quick", "--json", "a.json"])
    assert options.quick and options.json.name == "a.json"
    assert not arguments("d", []).quick
    calls = []
    assert cpu_seconds(lambda: sum(range(10**6))) > 0
    first, second = paired_medians(lambda: calls.append("a"), lambda: calls.append("b"), 3)
    assert calls == ["a", "b"] * 3 and first >= 0 and second >= 0
