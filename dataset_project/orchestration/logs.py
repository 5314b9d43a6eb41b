"""One log file per shard and run, with secrets redacted.

The file stands beside Dagster's own compute logs: ``<data>/logs/<run>/<dataset>.<shard>.log``, with time, level and
a traceback for every partition that failed.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataset_project.storage.publishing import work_area
from dataset_project.storage.store import DatasetStore

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|_PWD|CREDENTIAL|WEBHOOK|DSN)", re.IGNORECASE)
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/@\s:]+:[^/@\s]+(?=@)")
# Shorter values are words such as "1" or "yes", whose removal would only garble the text.
_SHORTEST_SECRET = 8
_MASK = "[redacted]"


def redact(text: str) -> str:
    """``text`` without credentials in URLs and without values of environment variables named as secrets."""
    for name, value in sorted(os.environ.items(), key=lambda item: -len(item[1])):
        if len(value) >= _SHORTEST_SECRET and _SECRET_NAME.search(name) and value in text:
            text = text.replace(value, _MASK)
    return _URL_CREDENTIALS.sub(_MASK, text)


class _RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def log_path(store: DatasetStore, run_id: str, dataset: str, shard: str) -> Path:
    """Where a shard's log is: under a local data directory, else in this machine's work area."""
    base = store.local_path() if store.is_local else work_area(store)
    return base / "logs" / run_id / f"{dataset}.{shard}.log"


@contextmanager
def shard_log(store: DatasetStore, run_id: str, dataset: str, shard: str) -> Iterator[logging.Logger]:
    """A logger that appends to the shard's file and to nothing else; a retried shard goes on in the same file."""
    path = log_path(store, run_id, dataset, shard)
    path.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.Logger(f"{dataset}.{shard}", logging.INFO)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        handler.close()
