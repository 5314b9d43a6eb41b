"""The registry: everything shipped can be made, and what is wrong with another is said in one line."""

from __future__ import annotations

import pytest
import yaml

from dataset_project.augmentation.methods import registry as module
from dataset_project.augmentation.methods.registry import InvalidRegistry, MissingPart, load_registry, make
from dataset_project.augmentation.preparation import RESOURCES
from dataset_project.augmentation.preparation.tables import Prepared

ENTRY = {"id": "keyboard", "family": "character", "description": "typos", "parameters": {"min_chars": 4, "share": 0.1}}


def _write(tmp_path, *entries, **more) -> str:
    path = tmp_path / "registry.yaml"
    path.write_text(yaml.safe_dump({"methods": list(entries), **more}))
    return str(path)


def test_what_is_shipped():
    registry = load_registry()
    preserving = [spec for spec in registry.methods.values() if spec.label_preserving and spec.family != "control"]
    assert len(preserving) >= 28
    assert {"copy", "antonym", "negate"} == {
        name for name, spec in registry.methods.items() if spec.family == "control"
    }
    assert {name for spec in registry.methods.values() for name in spec.resources} == set(RESOURCES)
    assert all(spec.factory in module.implementations() for spec in registry.methods.values())
    assert all("absent" not in spec.library_versions().values() for spec in registry.methods.values())


@pytest.mark.parametrize(
    ("entries", "more", "said"),
    [
        ([ENTRY, ENTRY], {}, "method id 'keyboard' is declared twice (entry 2)"),
        ([{**ENTRY, "id": "keybord"}], {}, "no method 'keybord'; there are: abbreviations"),
        ([{**ENTRY, "famly": "x"}], {}, "famly: Extra inputs are not permitted"),
        ([{**ENTRY, "intensity": 3}], {}, "intensity: Input should be less than or equal to 1"),
        ([ENTRY], {"exclusive": [["keyboard", "nobody"]]}, "names unknown nobody"),
        ([ENTRY], {"metods": []}, "unknown entries metods"),
        ([], {}, "needs a list `methods`"),
    ],
)
def test_bad_registries_are_named(tmp_path, entries, more, said):
    path = _write(tmp_path, *entries, **more)
    with pytest.raises(InvalidRegistry) as error:
        load_registry(path)
    assert said in str(error.value) and path in str(error.value) and "\n" not in str(error.value)


def test_a_registry_that_is_not_there_or_no_yaml(tmp_path):
    with pytest.raises(InvalidRegistry, match="cannot be read"):
        load_registry(str(tmp_path / "nowhere.yaml"))
    broken = tmp_path / "broken.yaml"
    broken.write_text("methods: [")
    with pytest.raises(InvalidRegistry, match="is not YAML"):
        load_registry(str(broken))


def test_an_absent_library_is_a_missing_part(tmp_path):
    registry = load_registry(_write(tmp_path, {**ENTRY, "library": "nlpaug no-such-library"}))
    with pytest.raises(MissingPart, match=r"method keyboard needs the library no-such-library: pip install"):
        make(registry["keyboard"], Prepared({}))


def test_parameters_that_do_not_fit_are_named(tmp_path):
    registry = load_registry(_write(tmp_path, {**ENTRY, "parameters": {"min_chars": 4}}))
    with pytest.raises(ValueError, match=r"method keyboard: its parameters do not fit: 'share'"):
        make(registry["keyboard"], Prepared({}))


def test_what_decides_the_output_is_the_identity():
    spec = load_registry()["keyboard"]
    assert spec.identity() == spec.model_copy(update={"cost": 9.0, "floor": 0.5, "description": "other"}).identity()
    assert spec.identity() != spec.model_copy(update={"parameters": {**spec.parameters, "share": 0.2}}).identity()
    assert spec.identity()["libraries"]["nlpaug"] == "1.1.11"


def test_exclusive_groups_and_controls():
    registry = load_registry()
    assert registry.allows(["keyboard", "aeda"])
    assert not registry.allows(["aeda", "punctuation_strip"])
    assert not registry.allows(["copy", "keyboard"]) and registry.allows(["copy"])
