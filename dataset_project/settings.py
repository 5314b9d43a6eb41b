"""The one settings class: what is built, where, and with how much of the machine.

Read from the environment (``DATASET_SIZE``, ``DATASET_SIMULATIONS__DAYS`` …) and from a ``.env`` file in the working
directory, the environment winning. A family's own settings stand in its package. Secrets are not settings: they are
read from the environment where they are used.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from dataset_project.augmentation.configuration import AugmentationSettings
from dataset_project.llm.configuration import LlmSettings
from dataset_project.orchestration.executors import ExecutorName, available_cores
from dataset_project.orchestration.logs import redact
from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.trials.configuration import TrialSettings

PREFIX = "DATASET_"
Size = Literal["demo", "standard", "full"]
Family = Literal["simulations", "augmentation", "trials"]
FAMILIES: tuple[Family, ...] = ("simulations", "augmentation", "trials")


class InvalidSettings(ValueError):
    """Settings that make no sense: one line per problem, naming the variable."""


class Settings(BaseSettings):
    """Settings of the project. Read them with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        env_parse_none_str="null",
        extra="ignore",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    data_dir: str = Field("data", min_length=1, description="directory (or fsspec URL) that datasets are written to")
    seed: int = Field(20_261_123, ge=0, lt=2**63, description="master seed that every random stream derives from")
    size: Size = Field("standard", description="how many partitions: demo, standard or full")
    executor: ExecutorName = Field("multiprocess", description="multiprocess or in_process")
    workers: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="processes at a time; unset: the cores this process may use"
    )
    shards: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="shards that a run deals a dataset's partitions into; unset: as many as workers"
    )
    families: tuple[Family, ...] = Field(FAMILIES, min_length=1, description="families that are planned and shown")
    simulations: SimulationSettings = Field(default_factory=SimulationSettings, description="the simulations family")
    augmentation: AugmentationSettings = Field(
        default_factory=AugmentationSettings, description="the augmentation family"
    )
    trials: TrialSettings = Field(default_factory=TrialSettings, description="the trials family")
    llm: LlmSettings = Field(default_factory=LlmSettings, description="calling models, for every family")

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, location: str) -> str:
        return location if "://" in location else str(Path(location).expanduser().absolute())

    @property
    def llm_directory(self) -> Path:
        """Where calls to models are kept: what was paid for outlives every dataset made of it."""
        if self.llm.directory is not None:
            return Path(self.llm.directory).expanduser().absolute()
        # SQLite and file locks need a file system: of a data directory at a URL they stay here.
        return Path("llm").absolute() if "://" in self.data_dir else Path(self.data_dir, "llm")

    @property
    def worker_count(self) -> int:
        return self.workers or available_cores()

    @property
    def shard_count(self) -> int:
        return self.shards or self.worker_count


def load_settings() -> Settings:
    """Settings from the environment and ``.env``. Raises InvalidSettings, which names each variable and its value."""
    _refuse_misspelt(set(os.environ) | set(dotenv_values(".env")))
    try:
        return Settings()
    except ValidationError as error:
        raise InvalidSettings("; ".join(_explain(problem) for problem in error.errors())) from None
    except SettingsError as error:
        raise InvalidSettings(f"{error}: {error.__cause__}; lists are written as JSON, for example [2,6]") from None


def _refuse_misspelt(variables: set[str]) -> None:
    """A misspelt variable would be ignored in silence; other programs' variables are left alone."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for variable in sorted(variables):
        name = variable.upper().split("__")[0]
        if name.startswith(PREFIX) and name not in known:
            close = get_close_matches(name, known, n=1, cutoff=0.85)
            if close:
                raise InvalidSettings(f"{variable}: there is no such setting; did you mean {close[0]}?")


def _explain(problem) -> str:
    variable = PREFIX + "__".join(str(part) for part in problem["loc"] if not _is_branch(part)).upper()
    message = problem["msg"].removeprefix("Value error, ")
    given = problem["input"]
    # A key in the place of its variable's name is the mistake that must not be printed.
    shown = "" if isinstance(given, dict) or variable.endswith("_KEY_VARIABLE") else f" (given: {given!r})"
    return redact(f"{variable}: {message[:1].lower()}{message[1:]}{shown}")


def _is_branch(part: str | int) -> bool:
    """Pydantic names the branch of a union in an error's location, as in ``workers.constrained-int``."""
    return isinstance(part, str) and ("[" in part or part in ("int", "none", "nullable"))
