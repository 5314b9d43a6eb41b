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
    """Calls about ``prefix`` in the ledger of ``directory``, in order of time; None where there is no ledger."""
    from dataset_project.llm.on_record import calls_on_record

    calls = calls_on_record(directory)
    return None if calls is None else calls_about(calls, prefix)


def usage_table(calls: pa.Table) -> pa.Table:
    """MODEL_USAGE of ``calls``, by the model asked for. Times are of the calls that ended: nobody saw others end."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.register("calls", calls)
        found = connection.sql("""
            SELECT asked_model AS model, count(*) AS calls, count(*) FILTER (outcome <> 'ok') AS failed_calls,
                   sum(input_tokens)::BIGINT AS input_tokens, sum(cached_tokens)::BIGINT AS cached_tokens,
                   sum(output_tokens)::BIGINT AS output_tokens, round(sum(cost_usd), 10) AS cost_usd,
                   quantile_cont(latency_ms, 0.5) FILTER (outcome NOT IN ('lost', 'interrupted')) AS latency_p50_ms,
                   quantile_cont(latency_ms, 0.95) FILTER (outcome NOT IN ('lost', 'interrupted')) AS latency_p95_ms
            FROM calls GROUP BY asked_model ORDER BY asked_model
        """).to_arrow_table()
    return pa.table([found[field.name].cast(field.type) for field in MODEL_USAGE], schema=MODEL_USAGE)


def cost_again(calls: pa.Table, prices: Prices) -> Mapping[str, float]:
    """Model asked for → USD, each call priced again from its tokens at the time it was made: as a live call, or as a
    line of a batch where that is what it was booked at.

    Calls whose tokens nobody reported (lost, interrupted) keep the worst case they were booked at. Raises ValueError
    for a model without a price.
    """
    from dataset_project.llm.requests import Usage

    totals: dict[str, float] = {}
    names = ("asked_model", "input_tokens", "output_tokens", "cached_tokens", "cost_usd", "started_at")
    for call in calls.select(names).to_pylist():
        cost = call["cost_usd"]
        if call["input_tokens"] or call["output_tokens"]:
            usage = Usage(call["input_tokens"], call["output_tokens"], call["cached_tokens"])
            at = call["started_at"].timestamp()
            cost = prices.cost(call["asked_model"], usage, at)
            in_batch = prices.cost(call["asked_model"], usage, at, batch=True)
            if abs(in_batch - call["cost_usd"]) < abs(cost - call["cost_usd"]):
                cost = in_batch
        totals[call["asked_model"]] = totals.get(call["asked_model"], 0.0) + cost
    return {model: round(total, 10) for model, total in sorted(totals.items())}
