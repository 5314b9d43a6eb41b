"""What categorising cost and how fast it went, from the ledger's calls. Differs from run to run, as calls do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from dataset_project.trials.schemas import MODEL_USAGE

if TYPE_CHECKING:
    from dataset_project.llm.prices import Prices


def calls_about(calls: pa.Table, prefix: str) -> pa.Table:
    """The calls whose item starts with ``prefix``, in order of time. ``calls``: the ledger's."""
    import pyarrow.compute as pc

    return calls.filter(pc.starts_with(calls["item"], prefix)).sort_by([("started_at", "ascending")])


def ledger_calls(directory: Path, prefix: str) -> pa.Table | None:
    """Calls about ``prefix`` in the ledger of ``directory``, in order of time; None where there is no ledger.

    ``model`` is the one asked for, as in the categorised rows. Providers answer under names of their own (a dated
    version, a path), which no price list need know.
    """
    from dataset_project.llm.on_record import calls_on_record

    calls = calls_on_record(directory)
    if calls is None:
        return None
    about = calls_about(calls, prefix)
    asked = _asked_models(directory)
    pairs = zip(about["task_key"].to_pylist(), about["model"].to_pylist(), strict=True)
    names = pa.array([asked.get(key, model) for key, model in pairs], pa.string())
    return about.set_column(about.schema.get_field_index("model"), about.schema.field("model"), names)


def usage_table(calls: pa.Table) -> pa.Table:
    """MODEL_USAGE of ``calls``, by model. Times are of the calls that ended: nobody saw others end."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.register("calls", calls)
        found = connection.sql("""
            SELECT model, count(*) AS calls, count(*) FILTER (outcome <> 'ok') AS failed_calls,
                   sum(input_tokens)::BIGINT AS input_tokens, sum(cached_tokens)::BIGINT AS cached_tokens,
                   sum(output_tokens)::BIGINT AS output_tokens, round(sum(cost_usd), 10) AS cost_usd,
                   quantile_cont(latency_ms, 0.5) FILTER (outcome NOT IN ('lost', 'interrupted')) AS latency_p50_ms,
                   quantile_cont(latency_ms, 0.95) FILTER (outcome NOT IN ('lost', 'interrupted')) AS latency_p95_ms
            FROM calls GROUP BY model ORDER BY model
        """).to_arrow_table()
    return pa.table([found[field.name].cast(field.type) for field in MODEL_USAGE], schema=MODEL_USAGE)


def cost_again(calls: pa.Table, prices: Prices) -> Mapping[str, float]:
    """Model → USD, each call priced again from its tokens at the time it was made: as a live call, or as a line of a
    batch where that is what it was booked at.

    Calls whose tokens nobody reported (lost, interrupted) keep the worst case they were booked at. Raises ValueError
    for a model without a price.
    """
    from dataset_project.llm.requests import Usage

    totals: dict[str, float] = {}
    names = ("model", "input_tokens", "output_tokens", "cached_tokens", "cost_usd", "started_at")
    for call in calls.select(names).to_pylist():
        cost = call["cost_usd"]
        if call["input_tokens"] or call["output_tokens"]:
            usage = Usage(call["input_tokens"], call["output_tokens"], call["cached_tokens"])
            at = call["started_at"].timestamp()
            cost = prices.cost(call["model"], usage, at)
            in_batch = prices.cost(call["model"], usage, at, batch=True)
            if abs(in_batch - call["cost_usd"]) < abs(cost - call["cost_usd"]):
                cost = in_batch
        totals[call["model"]] = totals.get(call["model"], 0.0) + cost
    return {model: round(total, 10) for model, total in sorted(totals.items())}


def _asked_models(directory: Path) -> dict[str, str]:
    """Task key → the model its request names. The ledger's table of calls only tells what the provider called it."""
    import sqlite3
    from contextlib import closing

    from dataset_project.llm.on_record import open_ledger

    with open_ledger(directory) as ledger:
        if ledger is None:
            return {}
        with closing(sqlite3.connect(f"{ledger.path.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
            return dict(connection.execute("SELECT t.key, r.model FROM tasks t JOIN requests r ON r.task_id = t.id"))
