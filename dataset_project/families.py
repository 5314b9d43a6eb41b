"""Every family's datasets, in one list. A new family is one line here."""

from __future__ import annotations

from collections.abc import Callable

from dataset_project.orchestration.dataset import PartitionedDataset
from dataset_project.settings import Settings


def declared_datasets(settings: Settings) -> list[PartitionedDataset]:
    """All datasets of the chosen families under ``settings``, upstream first.

    Raises ValueError for what settings alone cannot tell, such as more combinations than the cap.
    """
    return [dataset for family in settings.families for dataset in _DECLARED[family](settings)]


def _simulations(settings: Settings) -> list[PartitionedDataset]:
    from dataset_project.simulations.assets import simulation_datasets

    return simulation_datasets(settings.simulations, settings.size, settings.seed)


def _augmentation(settings: Settings) -> list[PartitionedDataset]:
    from dataset_project.augmentation.assets import augmentation_datasets

    return augmentation_datasets(settings.augmentation, settings.size)


def _trials(settings: Settings) -> list[PartitionedDataset]:
    from dataset_project.trials.assets import trial_datasets

    return trial_datasets(
        settings.trials, settings.llm, settings.llm_directory, settings.seed, processes=settings.shard_count
    )


_DECLARED: dict[str, Callable[[Settings], list[PartitionedDataset]]] = {
    "simulations": _simulations,
    "augmentation": _augmentation,
    "trials": _trials,
}
