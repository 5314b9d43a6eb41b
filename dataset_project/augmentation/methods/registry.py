"""The registry: which methods there are, as declared in YAML, and making one of them ready to propose edits.

An entry names an implementation (a factory decorated with `implements`) and gives it parameters. Two entries may share
an implementation. Entries are checked here, against the factories there are, before anything starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.preparation.carriers import MissingPart
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import Guard, resource_text
from dataset_project.augmentation.text.tokens import Passage

FAMILIES = ("entity", "lexical", "style", "word", "character", "control")
_SHIPPED = "registry.yaml"
_MODULES = ("character", "word", "lexical", "statistics", "phrases", "style", "sentence", "entity", "control")


class InvalidRegistry(ValueError):
    """A registry that cannot be used: which entry, what is wrong with it, what would be right."""


class Propose(Protocol):
    """A method made ready: the edits it would make to a passage.

    ``intensity`` is the share of the passage's words to change, in (0, 1]. An empty answer means that the method finds
    nothing to change. Edits may not overlap; ones that change nothing are dropped.
    """

    def __call__(self, passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]: ...


class MethodSpec(BaseModel):
    """One method, as declared.

    ``resources``: partitions of `augmentation_resources` it needs. ``may_change``: guards it may touch on purpose, such
    as numbers written as words. ``cost``: relative work per row, until seconds are on record. ``max_intensity``: how
    far the engine may raise the intensity to reach the quality band. ``floor``: share of the variants asked for that it
    has to fill, on the shipped sample, before a check warns. ``banded``: false for the control, whose variants are its
    sources.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)
    implementation: str = ""
    family: Literal["entity", "lexical", "style", "word", "character", "control"]
    library: str = ""
    description: str = Field(min_length=1)
    intensity: float = Field(0.2, gt=0, le=1)
    max_intensity: float = Field(0.6, gt=0, le=1)
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    label_preserving: bool = True
    resources: tuple[str, ...] = ()
    may_change: tuple[Guard, ...] = ()
    cost: float = Field(1.0, gt=0)
    floor: float = Field(0.0, ge=0, le=1)
    banded: bool = True

    @property
    def factory(self) -> str:
        return self.implementation or self.id

    def library_versions(self) -> dict[str, str]:
        """Installed versions of the libraries that decide the method's output; ``absent`` for one that is not there."""
        return {name: _installed(name) for name in self.library.split()}

    def identity(self) -> dict[str, Any]:
        """What decides the method's output, ready for hashing: everything but its cost and description."""
        declared = self.model_dump(mode="json", exclude={"cost", "description", "library", "floor"})
        return declared | {"libraries": self.library_versions()}


@dataclass(frozen=True)
class Registry:
    """All declared methods, in the order in which a combination applies them, and which may not meet in one."""

    methods: Mapping[str, MethodSpec]
    exclusive: tuple[frozenset[str], ...]

    def __getitem__(self, name: str) -> MethodSpec:
        return self.methods[name]

    def allows(self, names: Sequence[str]) -> bool:
        """Whether the methods may meet in one combination: controls never do, nor two members of an exclusive group."""
        if len(names) > 1 and any(self.methods[name].family == "control" for name in names):
            return False
        chosen = set(names) | {self.methods[name].family for name in names}
        pairs = [sum(name in group or self.methods[name].family in group for name in names) for group in self.exclusive]
        return bool(chosen) and all(count < 2 for count in pairs)


_factories: dict[str, Callable[[Mapping[str, Any], Prepared], Propose]] = {}


def implements(name: str):
    """Register a factory ``(parameters, prepared) -> Propose``. It raises MissingPart or ImportError for what is
    absent."""

    def register(factory: Callable[[Mapping[str, Any], Prepared], Propose]):
        _factories[name] = factory
        return factory

    return register


@lru_cache(maxsize=1)
def implementations() -> Mapping[str, Callable[[Mapping[str, Any], Prepared], Propose]]:
    """Every factory, by name. Loads the modules that hold them, none of which imports anything heavy."""
    for module in _MODULES:
        import_module(f"dataset_project.augmentation.methods.{module}")
    return dict(_factories)


def make(spec: MethodSpec, prepared: Prepared) -> Propose:
    """The method of ``spec``. Raises MissingPart when a library or resource is absent, ValueError for bad
    parameters."""
    for name, installed in spec.library_versions().items():
        if installed == "absent":
            raise MissingPart(f"method {spec.id} needs the library {name}: pip install {name}")
    try:
        return implementations()[spec.factory](spec.parameters, prepared)
    except ImportError as error:
        raise MissingPart(f"method {spec.id} needs a library that is not installed: {error}") from None
    except (TypeError, KeyError) as error:
        raise ValueError(f"method {spec.id}: its parameters do not fit: {error}") from None


@lru_cache(maxsize=8)
def load_registry(path: str | None = None) -> Registry:
    """The shipped registry, or the one in the file ``path``. Raises InvalidRegistry, naming entry and remedy."""
    where = path or f"the shipped {_SHIPPED}"
    try:
        text = Path(path).read_text(encoding="utf-8") if path else resource_text(_SHIPPED)
        declared = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRegistry(f"registry {where} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise InvalidRegistry(f"registry {where} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(declared, dict) or not isinstance(declared.get("methods"), list) or not declared["methods"]:
        raise InvalidRegistry(f"registry {where} needs a list `methods` with at least one entry")
    unknown = sorted(set(declared) - {"methods", "exclusive"})
    if unknown:
        raise InvalidRegistry(f"registry {where} has unknown entries {', '.join(unknown)}; known: methods, exclusive")
    methods: dict[str, MethodSpec] = {}
    for number, entry in enumerate(declared["methods"], start=1):
        spec = _entry(entry, number, where)
        if spec.id in methods:
            raise InvalidRegistry(f"registry {where}: method id {spec.id!r} is declared twice (entry {number})")
        methods[spec.id] = spec
    return Registry(methods, _groups(declared.get("exclusive") or [], methods, where))


def _entry(entry: Any, number: int, where: str) -> MethodSpec:
    name = entry.get("id", "?") if isinstance(entry, dict) else "?"
    try:
        spec = MethodSpec.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidRegistry(f"registry {where}, entry {number} ({name}): {place}: {first['msg']}") from None
    if spec.factory not in implementations():
        known = ", ".join(sorted(implementations()))
        raise InvalidRegistry(
            f"registry {where}, entry {number} ({name}): no method {spec.factory!r}; there are: {known}"
        )
    return spec


def _groups(groups: Any, methods: Mapping[str, MethodSpec], where: str) -> tuple[frozenset[str], ...]:
    known = set(methods) | set(FAMILIES)
    for group in groups:
        unknown = sorted(set(group) - known)
        if unknown:
            raise InvalidRegistry(f"registry {where}: exclusive group {group} names unknown {', '.join(unknown)}")
    return tuple(frozenset(group) for group in groups)


@cache
def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
