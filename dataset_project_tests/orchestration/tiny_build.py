"""Builds the tiny family in a process of its own; prints the result as JSON. Arguments: ``force`` or partition keys."""

import json
import sys

import dagster as dg

from dataset_project.orchestration.build import Builder, BuildOptions
from dataset_project_tests.orchestration import tiny_definitions


def main(arguments: list[str]) -> None:
    keys = frozenset(arguments) - {"force"}
    options = BuildOptions("test", keys or None, force="force" in arguments)
    with dg.DagsterInstance.get() as instance:
        result = Builder(tiny_definitions.store, instance, tiny_definitions.__name__, options).build(
            tiny_definitions.datasets
        )
    print(json.dumps({"runs": result.runs, "failed": result.failed, "waiting": result.waiting}))


if __name__ == "__main__":
    main(sys.argv[1:])
