"""What Dagster loads. Assembles everything and computes nothing; nobody imports it but Dagster."""

from dataset_project.families import declared_datasets
from dataset_project.orchestration.code_location import Execution, assemble
from dataset_project.settings import load_settings
from dataset_project.storage.store import DatasetStore

settings = load_settings()
defs = assemble(
    declared_datasets(settings),
    DatasetStore(settings.data_dir),
    Execution(settings.executor, settings.worker_count, settings.shard_count),
    definitions_module=__name__,
)
