"""Partition keys as path names, and back.

A key may hold anything a partition key may (spaces, slashes, ``..``); its directory name is the percent-encoded key,
so no key can leave the dataset's directory and no two keys share one.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

UNPARTITIONED = "all"
DIRECTORY_PREFIX = "partition="
# A file system's names end at 255 bytes; the prefix and the suffixes of the work area need room.
LONGEST_ENCODED_KEY = 200


def encode(key: str) -> str:
    """The path-safe form of ``key``: percent-encoded UTF-8, case kept.

    >>> encode("cohort_0000"), encode("a/b c"), encode("..")
    ('cohort_0000', 'a%2Fb%20c', '%2E%2E')

    Raises ValueError for an empty key and for one whose encoded form is longer than 200 bytes.
    """
    if not key:
        raise ValueError("a partition key may not be empty")
    encoded = quote(key, safe="")
    if not encoded.strip("."):
        encoded = encoded.replace(".", "%2E")
    if len(encoded) > LONGEST_ENCODED_KEY:
        raise ValueError(
            f"partition key {key[:40]!r}… is {len(encoded)} bytes long when percent-encoded; "
            f"a path has room for {LONGEST_ENCODED_KEY}"
        )
    return encoded


def decode(name: str) -> str:
    """The key whose path-safe form is ``name``."""
    return unquote(name)


def directory_name(key: str) -> str:
    """Name of the partition's directory inside its dataset's directory (hive style)."""
    return DIRECTORY_PREFIX + encode(key)
