"""Every family's datasets, in one list. A new family is one line here."""

from __future__ import annotations

from dataset_project.orchestration.dataset import PartitionedDataset
from dataset_project.settings import Settings


def declared_datasets(settings: Settings) -> list[PartitionedDataset]:
    """All datasets under ``settings``, upstream first."""
    from dataset_project.augmentation.assets import augmentation_datasets
    from dataset_project.simulations.assets import simulation_datasets

    return [
        *simulation_datasets(settings.simulations, settings.size, settings.seed),
        *augmentation_datasets(settings.augmentation, settings.size),
    ]
