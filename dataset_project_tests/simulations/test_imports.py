"""Every worker process pays for an import: the family's modules load what is heavy only when they use it."""

import subprocess
import sys

HEAVY = ("numba", "pandas", "duckdb", "matplotlib", "scipy", "dagster")
MODULES = (
    "baselines", "bitmaps", "glycaemia", "label_validation", "labels", "normalisation", "pictures", "published",
    "series_arrays", "training", "training_validation", "validation", "window_validation", "windows",
)  # fmt: skip


def test_importing_loads_nothing_heavy():
    names = ", ".join(f"dataset_project.simulations.{name}" for name in MODULES)
    code = f"import {names}, sys; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
