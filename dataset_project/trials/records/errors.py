"""What is raised when a source as a whole cannot be read. Single bad records are rejects, not errors."""

from __future__ import annotations


class InvalidSource(ValueError):
    """A source that cannot be used: which one, what is wrong with it, and what to do."""


class NotJson(InvalidSource):
    """A file that was taken for JSON and is not."""


class RegistryFailed(InvalidSource):
    """The registry did not give all that was asked for; nothing of what it gave is kept."""
