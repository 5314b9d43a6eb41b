"""The command line ``dataset-project``: thin over the spine, and the only place that talks to a terminal."""

from dataset_project.cli.main import main

__all__ = ["main"]
