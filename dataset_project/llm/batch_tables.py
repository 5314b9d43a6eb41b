"""Tables of the ledger about batches at the provider: which there are, how far each is, which tasks are in them.

A batch is written down before anything of it is sent, and each step before the next one is made, so that whoever comes
after a process that died goes on where it was. What is done with them is in `batch_register`.
"""

from __future__ import annotations

BATCH_TABLES = (
    """
-- name: our own, told to the provider too. state: forming (not known to be at the provider), open, done.
-- worker, lease_until: who looks after it. dialect: how its model was asked, JSON. status: the provider's last word.
CREATE TABLE batches (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, endpoint TEXT NOT NULL, model TEXT NOT NULL,
    group_id INTEGER NOT NULL REFERENCES groups (id), state TEXT NOT NULL DEFAULT 'forming',
    worker TEXT NOT NULL, lease_until REAL NOT NULL, file_id TEXT, provider_id TEXT, dialect TEXT,
    formed_at REAL NOT NULL, submitted_at REAL, ended_at REAL, status TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT ''
)""",
    "CREATE INDEX open_batches ON batches (id) WHERE state <> 'done'",
    """
-- outcome: null while the batch is under way, else what the line came to. Rows go when their task is settled.
-- answer: a bad answer, which the next round sends back with what is wrong with it (error).
CREATE TABLE batch_tasks (
    task_id INTEGER NOT NULL REFERENCES tasks (id), batch_id INTEGER NOT NULL REFERENCES batches (id),
    outcome TEXT, answer TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', PRIMARY KEY (task_id, batch_id)
) WITHOUT ROWID""",
    "CREATE INDEX lines_under_way ON batch_tasks (batch_id, task_id) WHERE outcome IS NULL",
    """CREATE TRIGGER rounds_forgotten AFTER UPDATE OF state ON tasks WHEN new.state NOT IN ('pending', 'leased') BEGIN
        DELETE FROM batch_tasks WHERE task_id = new.id AND outcome IS NOT NULL;
    END""",
)
