"""The family's page names every setting that there is, of the family and of the runtime, with its default."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from dataset_project.llm.configuration import LlmSettings
from dataset_project.trials.configuration import TrialSettings
from dataset_project_tests.support import ROOT

PAGE = (ROOT / "docs" / "trials.md").read_text(encoding="utf-8")
HEADS = {TrialSettings: "DATASET_TRIALS__", LlmSettings: "DATASET_LLM__"}


def _told(settings: type[BaseModel]) -> dict[str, tuple[str, str]]:
    """Variable → (default, meaning) of the table that follows its prefix in the settings' section."""
    section = PAGE[PAGE.index("## Settings") :]
    table = re.search(rf"start with `{HEADS[settings]}`\..*?\n\n(.*?)\n\n", section, re.S).group(1)
    rows = [re.fullmatch(r"\| `(\w+)` \| (.*?) ?\| (.*) \|", line) for line in table.split("\n")]
    return {row[1]: (row[2].strip("` "), row[3]) for row in rows if row}


def _default(field) -> str:
    value = field.default_factory() if field.default is PydanticUndefined else field.default
    return "" if value is None else json.dumps(value) if isinstance(value, dict) else str(value)


@pytest.mark.parametrize("settings", HEADS, ids=lambda settings: settings.__name__)
def test_the_page_lists_every_setting_with_its_default_and_meaning(settings):
    told = _told(settings)
    expected = {
        name.upper(): (_default(field), field.description.replace("|", "\\|"))
        for name, field in settings.model_fields.items()
    }
    assert told == expected, {name for name in told.keys() | expected if told.get(name) != expected.get(name)}


def test_the_page_holds_no_setting_that_does_not_exist():
    known = {f"{prefix}{name.upper()}" for settings, prefix in HEADS.items() for name in settings.model_fields}
    named = set(re.findall(r"DATASET_(?:TRIALS|LLM)__[A-Z_]*[A-Z]", PAGE))
    assert named and named <= known


def test_the_page_lists_every_way_a_request_can_fail():
    from typing import get_args

    from dataset_project.llm.requests import OutcomeKind

    missing = {kind for kind in get_args(OutcomeKind) if f"`{kind}`" not in PAGE} - {"ok", "bad_request"}
    assert missing == set()
