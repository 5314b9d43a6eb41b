"""The cache under several processes, and under kill -9 of those that write to it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from dataset_project.llm.cache import EmbeddingCache, EmbeddingSpace

SPACE = EmbeddingSpace("api.openai.com/v1", "text-embedding-3-small", None, "", "nfc-strip-1")
ROOT = Path(__file__).parents[2]
KILLS = 24
# Puts batches of vectors and says so only once `put_many` has returned; each line is one acknowledged batch.
WRITER = """
import hashlib, sys
import numpy as np
from dataset_project.llm.cache import EmbeddingCache
from dataset_project_tests.llm.test_cache_processes import SPACE, vector_of

path, name, batches = sys.argv[1], sys.argv[2], int(sys.argv[3])
cache = EmbeddingCache(path)
for batch in range(batches):
    texts = [f"{name} {batch} {n}" for n in range(20)]
    cache.claim(SPACE, texts, name)
    cache.put_many(SPACE, {text: vector_of(text) for text in texts})
    sys.stdout.write(f"{batch}\\n")
    sys.stdout.flush()
"""
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


def test_nothing_acknowledged_is_lost_after_kill_9_however_often(tmp_path):
    """Writers in pairs, each killed at a random moment of its work; every batch it reported must be there, whole."""
    path, draw = tmp_path / "cache.sqlite", random.Random(42)
    acknowledged: list[str] = []
    cut_off = 0
    for pair in range(KILLS // 2):
        writers = {f"writer {pair}-{side}": None for side in "ab"}
        for name in writers:
            writers[name] = _start(WRITER, path, name, 10_000)
        for process in writers.values():
            assert process.stdout.readline(), "a writer did not start"
        time.sleep(draw.uniform(0, 0.15))
        for name, process in writers.items():
            process.send_signal(signal.SIGKILL)
            said = ["0", *process.stdout.read().split("\n")]
            process.wait(10)
            process.stdout.close()
            assert process.returncode == -signal.SIGKILL
            batches = [line for line in said if line]
            cut_off += said[-1] != ""  # killed while it wrote the line: not acknowledged
            batches = batches[:-1] if said[-1] else batches
            acknowledged += [f"{name} {batch} {n}" for batch in sorted(set(batches)) for n in range(20)]
    cache = EmbeddingCache(path)
    assert len(acknowledged) > KILLS * 20
    found = cache.get_many(SPACE, acknowledged)
    assert [text for text in acknowledged if text not in found] == []
    for text in acknowledged[::7]:
        assert np.array_equal(found[text], vector_of(text))
    assert len(cache) % 20 == 0, "a batch is there whole or not at all"
    cache.claim(SPACE, ["afterwards"], "me")
    cache.put_many(SPACE, {"afterwards": vector_of("afterwards")})
    assert len(cache) % 20 == 1


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
