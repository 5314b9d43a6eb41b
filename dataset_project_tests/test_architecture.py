"""Which package may import which, and that loading the definitions loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dataset_project
from dataset_project.orchestration.executors import PRELOAD

PACKAGE = Path(dataset_project.__file__).parent
FAMILIES = ("simulations", "augmentation", "trials", "documents", "puzzles")
# What each package may import of the project, besides itself.
ALLOWED = {
    "storage": set(),
    "drawing": set(),
    "llm": {"storage"},
    "orchestration": {"storage"},
    "settings": {"llm", "orchestration", *FAMILIES},
    "families": {"orchestration", "settings", *FAMILIES},
    "definitions": {"families", "orchestration", "settings", "storage"},
    "cli": {"families", "llm", "orchestration", "settings", "storage"},
    "__init__": set(),
}
# What the commands import of a family: its export, which is a command's business alone.
COMMAND_DOOR = "export"
# A family's door sees the spine; its domain modules see streams, verdicts and the models they call.
DOORS = {"assets", "checks"}
DOMAIN_MAY_USE = {"storage.seeding", "storage.validation", "storage.published", "storage.fingerprints"}
HEAVY = {
    *("nlpaug", "numba", "openai", "matplotlib", "docx", "scipy", "pandas", "duckdb", "PIL", "polars", "nltk", "torch"),
    *("sklearn", "transformers", "reportlab", "openpyxl", "pptx"),
}


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _imports(path: Path, top_level_only: bool) -> list[str]:
    tree = ast.parse(path.read_text())
    nodes = [node for node in (tree.body if top_level_only else ast.walk(tree))]
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_arrows_point_one_way(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    package = parts[0]
    imported = {
        name.removeprefix("dataset_project.") for name in _imports(path, False) if name.startswith("dataset_project.")
    }
    imported -= {"__version__"}
    others = {name for name in imported if name.split(".")[0] != package}
    assert "definitions" not in imported, "nothing imports definitions: Dagster loads it by name"
    if package in FAMILIES:
        assert not {name.split(".")[0] for name in others} & set(FAMILIES), "families do not import each other"
        if parts[-1] not in DOORS:
            may = {"llm", "storage"} | DOMAIN_MAY_USE
            allowed = {name for name in others if name in may or ".".join(name.split(".")[:2]) in DOMAIN_MAY_USE}
            allowed |= {name for name in others if name.split(".")[0] in ("llm", "drawing")}
            assert others <= allowed, f"domain code may use {sorted(DOMAIN_MAY_USE)}, not {sorted(others - allowed)}"
        else:
            assert {name.split(".")[0] for name in others} <= {"orchestration", "storage", "llm"}
    elif package == "cli":
        of_families = {name for name in others if name.split(".")[0] in FAMILIES}
        assert all(name.split(".")[1] == COMMAND_DOOR for name in of_families)
        assert {name.split(".")[0] for name in others - of_families} <= ALLOWED[package]
    else:
        assert {name.split(".")[0] for name in others} <= ALLOWED[package]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_spine_and_the_commands_know_dagster(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    uses_dagster = any(name.split(".")[0] == "dagster" for name in _imports(path, False))
    if parts[0] in FAMILIES or parts[0] in ("storage", "llm", "settings", "families"):
        assert not uses_dagster
    if parts[0] == "orchestration" and parts[-1] in ("dataset", "planning", "shards", "work", "logs"):
        assert not uses_dagster, "a shard runs without Dagster"


def test_modules_are_small():
    long = {path.name: lines for path in _modules() if (lines := len(path.read_text().splitlines())) > 330}
    assert long == {}


def _loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return set(done.stdout.split())


def test_loading_the_definitions_loads_nothing_heavy():
    assert _loaded_by("import dataset_project.definitions") & HEAVY == set()


@pytest.mark.parametrize("family", [name for name in FAMILIES if (PACKAGE / name).exists()])
def test_a_familys_modules_load_without_dagster_and_heavy_libraries(family):
    # `kernel` is compiled code: it is only ever imported by a function that is about to compute.
    paths = [path for path in sorted((PACKAGE / family).rglob("*.py")) if path.stem not in DOORS | {"kernel"}]
    names = [".".join(("dataset_project", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in paths]
    loaded = _loaded_by("; ".join(f"import {name}" for name in names))
    assert loaded & (HEAVY | {"dagster"}) == set()


@pytest.mark.parametrize("module", PRELOAD)
def test_preloaded_modules_exist(module):
    # The fork server swallows import errors: a renamed module would silently cost every step its import time.
    __import__(module)
