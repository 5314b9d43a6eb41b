"""The cache under several processes, and under kill -9 of those that write to it."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

import numpy as np
import pytest

from dataset_project.llm.cache import EmbeddingCache, EmbeddingSpace
from dataset_project.llm.cache_schema import _is_made, open_cache

SPACE = EmbeddingSpace("api.openai.com/v1", "text-embedding-3-small", None, "", "nfc-strip-1")
ROOT = Path(__file__).parents[2]
CLAIMER = """
import sys, time
from dataset_project.llm.cache import EmbeddingCache
from dataset_project_tests.llm.test_cache_processes import SPACE

cache = EmbeddingCache(sys.argv[1])
claimed = []
for start in range(0, 2000, 40):
    claimed += cache.claim(SPACE, [f"text {n}" for n in range(start, start + 40)], sys.argv[2]).free
print(*claimed, sep="\\n")
"""


def vector_of(text: str) -> np.ndarray:
    """A vector that is the text's own, so that what is read can be judged without what was written."""
    return np.random.default_rng(list(text.encode())).standard_normal(1536).astype(np.float32)


def _start(code: str, *arguments: object) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True, env=environment
    )


def _writer(path: Path, name: str) -> tuple[int, TextIO]:
    """A forked process that puts batches of vectors, and says so only once `put_many` has returned: each line is one
    acknowledged batch."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)  # it ends when nobody listens
            cache, batch = EmbeddingCache(path), 0
            while True:
                texts = [f"{name} {batch} {n}" for n in range(20)]
                cache.claim(SPACE, texts, name)
                cache.put_many(SPACE, {text: vector_of(text) for text in texts})
                os.write(writer, f"{batch}\n".encode())
                batch += 1
        except BaseException as error:
            os.write(writer, f"{error!r}\n".encode())
        finally:
            os._exit(1)
    os.close(writer)
    return pid, os.fdopen(reader)


@pytest.mark.parametrize("kills", [8, pytest.param(32, marks=pytest.mark.slow)])
def test_nothing_acknowledged_is_lost_after_kill_9_however_often(tmp_path, kills):
    """Writers in pairs, each killed at a random moment of its work; every batch it reported must be there, whole."""
    path, draw = tmp_path / "cache.sqlite", random.Random(42)
    acknowledged: list[str] = []
    for pair in range(kills // 2):
        writers = {f"writer {pair}-{side}": None for side in "ab"}
        for name in writers:
            writers[name] = _writer(path, name)
        try:
            for _, told in writers.values():
                assert told.readline() == "0\n", f"a writer did not start: {told.read()}"
            time.sleep(draw.uniform(0, 0.15))
        finally:
            for pid, _ in writers.values():
                os.kill(pid, signal.SIGKILL)
        for name, (pid, told) in writers.items():
            with told:
                said = ["0", *told.read().split("\n")]
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
            batches = [line for line in said if line]
            batches = batches[:-1] if said[-1] else batches  # killed while it wrote the line: not acknowledged
            acknowledged += [f"{name} {batch} {n}" for batch in sorted(set(batches)) for n in range(20)]
    cache = EmbeddingCache(path)
    assert len(acknowledged) > kills * 20
    found = cache.get_many(SPACE, acknowledged)
    assert [text for text in acknowledged if text not in found] == []
    for text in acknowledged[::7]:
        assert np.array_equal(found[text], vector_of(text))
    assert len(cache) % 20 == 0, "a batch is there whole or not at all"
    cache.claim(SPACE, ["afterwards"], "me")
    cache.put_many(SPACE, {"afterwards": vector_of("afterwards")})
    assert len(cache) % 20 == 1


def test_a_file_that_another_process_is_making_is_not_taken_for_one_of_another_kind(tmp_path):
    path = tmp_path / "cache.sqlite"
    other = threading.Thread(target=lambda: open_cache(path).close())

    class Racing(sqlite3.Connection):
        """Between two looks at the file, another process makes it, if it can."""

        def execute(self, sql, *arguments):
            if sql == "PRAGMA user_version" and not other.ident:
                other.start()
                other.join(0.5)
            return super().execute(sql, *arguments)

    connection = sqlite3.connect(path, isolation_level=None, factory=Racing)
    assert _is_made(connection, path) is False
    other.join()
    assert _is_made(connection, path) is True
    connection.close()


def test_processes_that_make_the_file_together_share_its_texts_without_overlap(tmp_path):
    processes = [_start(CLAIMER, tmp_path / "cache.sqlite", f"owner {n}") for n in range(4)]
    claimed = []
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        claimed += [line for line in output.splitlines() if line]
    assert sorted(claimed) == sorted(f"text {n}" for n in range(2000))


def test_a_forked_process_uses_a_connection_of_its_own(tmp_path):
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    cache.put_many(SPACE, {"parent": vector_of("parent")})
    child = os.fork()
    if child == 0:
        try:
            cache.put_many(SPACE, {"child": vector_of("child")})
            os._exit(0 if set(cache.get_many(SPACE, ["parent", "child"])) == {"parent", "child"} else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    cache.put_many(SPACE, {"after": vector_of("after")})
    assert set(cache.get_many(SPACE, ["parent", "child", "after"])) == {"parent", "child", "after"}
