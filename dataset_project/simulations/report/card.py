"""The dataset card: what a reader must know before using the cohort, with this cohort's own figures."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from string import Template

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.forecasting.baselines import BaselineErrors
from dataset_project.simulations.report.glycaemia import Glycaemia


def card(
    settings: SimulationSettings,
    master_seed: int,
    archetypes: int,
    windows: int,
    everybody: Glycaemia,
    errors: Sequence[BaselineErrors],
) -> str:
    """The card as Markdown. ``everybody`` is the report's first row; ``errors`` may be empty (a very small cohort)."""
    test = next((each for each in errors if each.split == "test"), None)
    shares = everybody.shares
    return Template(files("dataset_project.simulations").joinpath("resources/card.md").read_text()).substitute(
        patients=f"{everybody.patients:,}",
        archetypes=f"{archetypes:,}",
        days=settings.days,
        samples=f"{everybody.samples:,} CGM readings after the warm-up day",
        windows=f"{windows:,}",
        histories=", ".join(str(hours) for hours in settings.history_hours),
        scenario=settings.scenario,
        seed=master_seed,
        mean=f"{everybody.mean_mgdl:.1f}",
        cv=f"{everybody.cv:.1%}",
        in_range=f"{shares['70_180']:.1%}",
        below_70=f"{shares['below_54'] + shares['54_69']:.1%}",
        below_54=f"{shares['below_54']:.1%}",
        ridge=_at_horizons(test.ridge) if test else "n/a",
        persistence=_at_horizons(test.persistence) if test else "n/a",
        substeps=settings.substeps,
    )


def _at_horizons(errors: dict[int, float]) -> str:
    return f"{errors[30]:.1f} / {errors[60]:.1f}"
