"""The terminal during a build: who may write to it, and whether Ctrl-C was pressed.

Dagster swallows an interrupt in places and its helper processes print tracebacks of theirs; both are dealt with here.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BEFORE_INSISTING = 8.0


@contextmanager
def interrupt_watch() -> Iterator[Callable[[], bool]]:
    """Yields a function that tells whether SIGINT or SIGTERM has arrived, whatever handler is installed meanwhile.

    Python drops an exception that a signal handler raises inside a finaliser or a callback, so an interrupt can get
    lost while a shard waits: until the block is left, the signal is sent again every few seconds.
    """
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    seen: set[int] = set()

    def interrupted() -> bool:
        with suppress(BlockingIOError):
            seen.update(os.read(reader, 4096))
        return not seen.isdisjoint((signal.SIGINT, signal.SIGTERM))

    ended = threading.Event()

    def insist() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LOOKS):
            if interrupted() and not ended.wait(_SECONDS_BEFORE_INSISTING):
                os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=insist, name="interrupt-watch", daemon=True)
    thread.start()
    try:
        yield interrupted
    finally:
        ended.set()
        thread.join()
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)


@contextmanager
def only_the_console(console: Console) -> Iterator[None]:
    """Nothing but ``console`` reaches the terminal: what steps print is in Dagster's compute logs."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    before = console.file
    console.file = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sink = os.open(os.devnull, os.O_WRONLY)
    for descriptor in kept:
        os.dup2(sink, descriptor)
    os.close(sink)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        console.file.close()
        console.file = before
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)
