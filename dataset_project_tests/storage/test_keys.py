"""Partition keys as path names."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_project.storage import keys


@given(st.text(min_size=1, max_size=20))
def test_every_key_comes_back_and_stays_in_its_directory(key):
    try:
        name = keys.directory_name(key)
    except UnicodeEncodeError:
        return  # lone surrogates are no text
    assert keys.decode(name.removeprefix(keys.DIRECTORY_PREFIX)) == key
    assert PurePosixPath(name).parts == (name,)
    assert keys.encode(key) not in (".", "..")


@pytest.mark.parametrize("key", ["..", ".", "a/../../b", "/etc/passwd", "a\\b", "a\nb", "ü", "=1+1"])
def test_path_like_keys_are_encoded(key):
    encoded = keys.encode(key)
    assert "/" not in encoded and "\\" not in encoded and encoded not in (".", "..")
    assert keys.decode(encoded) == key


def test_keys_without_room_are_refused():
    with pytest.raises(ValueError, match="empty"):
        keys.encode("")
    with pytest.raises(ValueError, match="250 bytes long"):
        keys.encode("x" * 250)
