"""The embedding cache: what it keeps apart, claims and leases, export, and files it refuses."""

from __future__ import annotations

import io
import sqlite3
import threading
import unicodedata

import numpy as np
import pyarrow.parquet as pq
import pytest

from dataset_project.llm.cache import EmbeddingCache, EmbeddingSpace, UnusableCache

SPACE = EmbeddingSpace("api.openai.com/v1", "text-embedding-3-small", None, "", "nfc-strip-1")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _vectors(*texts: str, width: int = 8, seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {text: generator.standard_normal(width).astype(np.float32) for text in texts}


def test_vectors_come_back_bit_for_bit_also_after_reopening(tmp_path):
    texts = [f"text {n} – 東京 🧬" for n in range(1234)]
    vectors = _vectors(*texts, width=3)
    cache = EmbeddingCache(tmp_path / "deep" / "cache.sqlite")
    cache.put_many(SPACE, vectors)
    cache.close()
    again = EmbeddingCache(tmp_path / "deep" / "cache.sqlite")
    found = again.get_many(SPACE, [*texts, "unknown"])
    assert set(found) == set(texts) and len(again) == 1234
    assert all(found[text].dtype == np.float32 and found[text].tobytes() == vectors[text].tobytes() for text in texts)
    with pytest.raises(ValueError, match="read-only"):
        found[texts[0]][0] = 1


@pytest.mark.parametrize(
    "other",
    [
        EmbeddingSpace("localhost:8000/v1", SPACE.model, None, "", SPACE.normaliser),
        EmbeddingSpace(SPACE.provider, "text-embedding-3-large", None, "", SPACE.normaliser),
        EmbeddingSpace(SPACE.provider, SPACE.model, 8, "", SPACE.normaliser),
        EmbeddingSpace(SPACE.provider, SPACE.model, None, "query", SPACE.normaliser),
        EmbeddingSpace(SPACE.provider, SPACE.model, None, "", "nfc-strip-2"),
        EmbeddingSpace(SPACE.provider + SPACE.model[0], SPACE.model[1:], None, "", SPACE.normaliser),
    ],
)
def test_spaces_are_kept_apart(tmp_path, other):
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    cache.put_many(SPACE, _vectors("a"))
    assert cache.get_many(other, ["a"]) == {}
    assert cache.claim(other, ["a"], "me").free == ["a"]
    cache.put_many(other, _vectors("a", seed=1))
    assert not np.array_equal(cache.get_many(other, ["a"])["a"], cache.get_many(SPACE, ["a"])["a"])


def test_texts_are_kept_apart_by_every_character(tmp_path):
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    cache.put_many(SPACE, _vectors("colon"))
    others = ["Colon", "colon ", "colo", "colon\0", unicodedata.normalize("NFD", "cölon")]
    assert cache.get_many(SPACE, others) == {}


def test_the_first_vector_stays(tmp_path):
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    first, second = _vectors("a", seed=1), _vectors("a", "b", seed=2)
    cache.put_many(SPACE, first)
    cache.put_many(SPACE, second)
    assert np.array_equal(cache.get_many(SPACE, ["a"])["a"], first["a"])
    assert np.array_equal(cache.get_many(SPACE, ["b"])["b"], second["b"])


@pytest.mark.parametrize(
    "vector",
    [np.zeros(8), np.full(8, np.nan), np.array([1, np.inf] * 4), np.empty(0), np.ones((1, 8))],
    ids=["zeros", "nan", "infinite", "empty", "matrix"],
)
def test_what_is_no_vector_is_not_kept_and_neither_is_what_came_with_it(tmp_path, vector):
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    with pytest.raises(ValueError, match="'bad text'"):
        cache.put_many(SPACE, {**_vectors("good"), "bad text": vector})
    assert len(cache) == 0


def test_a_model_that_changes_its_width_is_noticed(tmp_path):
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    cache.put_many(SPACE, _vectors("a", width=8))
    with pytest.raises(ValueError, match=r"8 dimensions.*not 9"):
        cache.put_many(SPACE, _vectors("b", width=9))
    with pytest.raises(ValueError, match="8, 9"):
        cache.put_many(SPACE, {**_vectors("b", width=8), **_vectors("c", width=9)})
    assert cache.get_many(SPACE, ["a", "b", "c"]).keys() == {"a"}


def test_claims_pass_through_their_states(tmp_path):
    clock = Clock()
    cache = EmbeddingCache(tmp_path / "cache.sqlite", lease_s=60, clock=clock)
    other = EmbeddingCache(tmp_path / "cache.sqlite", lease_s=60, clock=clock)
    cache.put_many(SPACE, _vectors("known"))
    mine = cache.claim(SPACE, ["known", "a", "b", "a"], "me")
    assert (mine.free, mine.held, mine.cached) == (["a", "b"], [], ["known"])
    theirs = other.claim(SPACE, ["known", "a", "b", "c"], "you")
    assert (theirs.free, theirs.held, theirs.cached) == (["c"], ["a", "b"], ["known"])
    assert cache.claim(SPACE, ["a", "c"], "me").free == ["a"], "one's own claim may be renewed"

    clock.now += 59
    cache.extend("me")
    clock.now += 59
    assert other.look(SPACE, ["a", "b"]).held == ["a", "b"], "an extended claim holds"
    cache.release(SPACE, ["b"], "me")
    cache.release(SPACE, ["c"], "me")
    assert other.look(SPACE, ["a", "b"]).free == ["b"]

    clock.now += 1  # of "me" one second is left, of "you" none
    assert cache.look(SPACE, ["c"]).free == ["c"]
    clock.now += 1
    assert other.claim(SPACE, ["a"], "you").free == ["a"], "an expired claim is taken over"
    assert cache.claim(SPACE, ["a"], "me").held == ["a"]
    cache.put_many(SPACE, _vectors("a"))  # the old holder's answer comes late, and counts
    assert other.claim(SPACE, ["a"], "you").cached == ["a"]
    with sqlite3.connect(tmp_path / "cache.sqlite") as connection:
        owners = connection.execute("SELECT owner FROM claims WHERE key = ?", (SPACE.key("a"),)).fetchall()
    connection.close()
    assert owners == [], "a vector ends its claim"
    other.claim(SPACE, ["x", "y"], "you")
    other.release_all("you")
    assert cache.look(SPACE, ["x", "y"]).free == ["x", "y"]


def test_a_clock_that_goes_back_does_not_hold_texts_for_longer_than_a_lease(tmp_path):
    clock = Clock()
    cache = EmbeddingCache(tmp_path / "cache.sqlite", lease_s=60, clock=clock)
    cache.claim(SPACE, ["a"], "dead")
    clock.now -= 3600
    assert cache.claim(SPACE, ["a"], "alive").free == ["a"]


def test_threads_claim_every_text_exactly_once(tmp_path):
    caches = [EmbeddingCache(tmp_path / "cache.sqlite") for _ in range(3)]
    texts = [f"text {n}" for n in range(1500)]
    claimed: list[list[str]] = [[] for _ in range(6)]

    def work(number: int) -> None:
        for start in range(0, len(texts), 50):
            claimed[number] += caches[number % 3].claim(SPACE, texts[start : start + 50], f"owner {number}").free

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(text for some in claimed for text in some) == sorted(texts)


def test_the_export_is_the_same_for_the_same_content_whoever_came_first(tmp_path):
    texts = [f"text {n}" for n in range(300)]
    vectors, other = _vectors(*texts), EmbeddingSpace("b", "model", 4, "query", "v")
    more = _vectors("é", "text 1", width=4)
    forwards, backwards = (EmbeddingCache(tmp_path / name) for name in ("forwards", "backwards"))
    forwards.put_many(SPACE, vectors)
    forwards.put_many(other, more)
    backwards.put_many(other, more)
    for text in reversed(texts):
        backwards.put_many(SPACE, {text: vectors[text]})
    tables = [cache.to_table() for cache in (forwards, backwards)]
    files = [io.BytesIO(), io.BytesIO()]
    for table, file in zip(tables, files, strict=True):
        pq.write_table(table, file, compression="zstd")
    assert files[0].getvalue() == files[1].getvalue()

    rows = pq.read_table(files[0]).to_pylist()
    assert [row["key"] for row in rows] == sorted(row["key"] for row in rows)
    assert len(rows) == 302
    for row in rows:
        space = SPACE if row["model"] == SPACE.model else other
        assert row["key"] == space.key(row["text"]).hex()
        stored = (vectors if space is SPACE else more)[row["text"]]
        assert np.array_equal(np.array(row["embedding"], np.float32), stored)
        described = (row["provider"], row["dimensions"], row["task_type"], row["normaliser"])
        assert described == (space.provider, space.dimensions, space.task_type, space.normaliser)


def test_an_empty_cache_exports_an_empty_table_with_the_same_columns(tmp_path):
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    empty = cache.to_table()
    cache.put_many(SPACE, _vectors("a"))
    assert empty.num_rows == 0 and empty.schema == cache.to_table().schema


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be one" * 100, b"SQLite format 3\0junk"]
)
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path, content):
    path = tmp_path / "cache.sqlite"
    path.write_bytes(content)
    with pytest.raises(UnusableCache, match=r"cache\.sqlite.*move it away"):
        EmbeddingCache(path)
    assert path.read_bytes() == content


def test_damage_found_while_reading_is_named(tmp_path):
    path = tmp_path / "cache.sqlite"
    cache = EmbeddingCache(path)
    texts = [f"text {n}" for n in range(2000)]
    cache.put_many(SPACE, _vectors(*texts, width=256))
    cache.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8192 * 4)
        file.write(b"\xff" * (size - 8192 * 8))
    damaged = EmbeddingCache(path)
    with pytest.raises(UnusableCache, match=r"cache\.sqlite is damaged"):
        damaged.get_many(SPACE, texts)


def test_databases_of_other_programs_and_newer_versions_are_refused_untouched(tmp_path):
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE patients (id)")
    connection.close()
    before = foreign.read_bytes()
    with pytest.raises(UnusableCache, match=r"foreign\.sqlite is a database of another kind"):
        EmbeddingCache(foreign)
    assert foreign.read_bytes() == before

    newer = tmp_path / "newer.sqlite"
    EmbeddingCache(newer).close()
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(UnusableCache, match=r"newer\.sqlite has schema version 7"):
        EmbeddingCache(newer)


def test_a_directory_in_its_place_is_named(tmp_path):
    with pytest.raises(UnusableCache, match="unable to open"):
        EmbeddingCache(tmp_path)
