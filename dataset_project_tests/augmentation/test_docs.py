"""The family's page names every setting and every method that there is."""

from __future__ import annotations

from dataset_project.augmentation.configuration import AugmentationSettings
from dataset_project.augmentation.methods.registry import load_registry
from dataset_project_tests.support import ROOT


def test_the_page_lists_every_setting_and_method():
    page = (ROOT / "docs" / "augmentation.md").read_text(encoding="utf-8")
    settings = {f"| `{name.upper()}` |" for name in AugmentationSettings.model_fields}
    methods = {f"| `{name}` | {spec.family} |" for name, spec in load_registry().methods.items()}
    assert {row for row in settings | methods if row not in page} == set()
