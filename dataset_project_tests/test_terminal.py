"""Ctrl-C that gets lost is sent again, and only the console writes to the terminal during a build."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time

from rich.console import Console

from dataset_project.cli import terminal


def test_an_interrupt_that_was_swallowed_is_sent_again(monkeypatch):
    monkeypatch.setattr(terminal, "_SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(terminal, "_SECONDS_BEFORE_INSISTING", 0.05)
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(time.monotonic()))
    try:
        with terminal.interrupt_watch() as interrupted:
            assert not interrupted()
            os.kill(os.getpid(), signal.SIGINT)
            deadline = time.monotonic() + 60
            while len(heard) < 3:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert interrupted()
        assert not [each for each in threading.enumerate() if each.name == "interrupt-watch"], "nobody insists any more"
    finally:
        signal.signal(signal.SIGINT, before)


def test_only_the_console_reaches_the_terminal():
    code = (
        "import os, sys\n"
        "from rich.console import Console\n"
        "from dataset_project.cli.terminal import only_the_console\n"
        "console = Console()\n"
        "with only_the_console(console):\n"
        "    print('lost'); os.write(2, b'noise of a child'); console.print('seen')\n"
        "console.print('and after'); print('too')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n") == ["seen", "and after", "too", ""]
    assert done.stderr == ""


def test_a_console_of_its_own_file_gets_it_back():
    console = Console(file=io.StringIO())
    own = console.file
    with terminal.only_the_console(console):
        assert console.file is not own
    assert console.file is own
