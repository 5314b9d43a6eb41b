"""A code location of the tiny family, for runs that load it by module name."""

import os

from dataset_project.orchestration.code_location import Execution, assemble
from dataset_project_tests.orchestration.tiny_family import tiny_datasets, tiny_store

datasets = tiny_datasets(int(os.environ.get("TINY_PARTITIONS", "4")), os.environ.get("TINY_VERSION", "1"))
store = tiny_store()
defs = assemble(
    datasets,
    store,
    Execution(os.environ.get("TINY_EXECUTOR", "in_process"), workers=2, shards=int(os.environ.get("TINY_SHARDS", "2"))),
    definitions_module=__name__,
)
