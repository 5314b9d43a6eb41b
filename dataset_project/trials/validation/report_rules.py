"""What must hold for the report: its figures are those of the published buckets and of the ledger, and agreement does
not fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_project.storage.published import Files, open_tables, schema_differences, validator, verdict
from dataset_project.storage.validation import Finding
from dataset_project.trials.report.usage import cost_again
from dataset_project.trials.schemas import AGREEMENT, CALIBRATION, CATEGORY_COUNTS, CONFUSION, MODEL_USAGE

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from dataset_project.llm.prices import Prices

_TABLES = {
    "categories": CATEGORY_COUNTS,
    "agreement": AGREEMENT,
    "confusion": CONFUSION,
    "calibration": CALIBRATION,
    "usage": MODEL_USAGE,
}

# Written from Wilson's formula, not with the library the report uses. 1.96 to double precision.
_MACROS = """
CREATE MACRO middle(k, n) AS (k / n + 3.841458820694124 / (2 * n)) / (1 + 3.841458820694124 / n);
CREATE MACRO half(k, n) AS 1.959963984540054 * sqrt(k / n * (1 - k / n) / n + 3.841458820694124 / (4.0 * n * n))
                           / (1 + 3.841458820694124 / n);
CREATE MACRO differs(a, b) AS a IS DISTINCT FROM b AND coalesce(abs(a - b) > 1e-9, true);
CREATE MACRO wrong_share(k, n, share, low, high) AS
    CASE WHEN n = 0 THEN coalesce(share, low, high) IS NOT NULL
         ELSE differs(share, k / n) OR differs(low, middle(k, n) - half(k, n))
              OR differs(high, middle(k, n) + half(k, n))
    END;
"""
# Every published row that gold names, and whether gold allows its category.
_JUDGED = """
CREATE TEMP TABLE judged AS
SELECT nct_id, data.category, confidence, gold.categories, list_contains(gold.categories, data.category) AS agrees
FROM data JOIN gold USING (nct_id) WHERE status = 'ok'
"""
_CATEGORIES = """
WITH again AS (
    SELECT category,
           (SELECT count(*) FROM data WHERE status = 'ok' AND data.category = c.category) AS trials,
           (SELECT count(*) FROM data WHERE status = 'ok') AS all_trials,
           (SELECT count(*) FROM judged WHERE list_contains(categories, c.category)) AS gold_trials,
           (SELECT count(*) FROM judged WHERE categories = [c.category]) AS alone,
           (SELECT count(*) FROM judged WHERE categories = [c.category] AND agrees) AS found,
           (SELECT count(*) FROM judged WHERE judged.category = c.category) AS put,
           (SELECT count(*) FROM judged WHERE judged.category = c.category AND agrees) AS allowed
    FROM (SELECT category FROM categories UNION SELECT category FROM data WHERE status = 'ok') AS c
)
SELECT count(*) FILTER (told.category IS NULL OR told.trials <> again.trials OR told.gold_trials <> again.gold_trials
                        OR told.alone <> again.alone OR told.found <> again.found),
       count(*) FILTER (differs(told.share, again.trials / greatest(all_trials, 1))
                        OR wrong_share(again.found, again.alone, recall, recall_low, recall_high)
                        OR wrong_share(allowed, put, precision, precision_low, precision_high))
FROM again LEFT JOIN categories AS told USING (category)
"""
_CONFUSION = """
SELECT count(*) FROM (
    SELECT CASE WHEN agrees THEN category ELSE categories[1] END AS gold, category, count(*) AS trials
    FROM judged GROUP BY ALL
) AS again FULL JOIN confusion AS told USING (gold, category)
WHERE told.trials IS DISTINCT FROM again.trials
"""
_CALIBRATION = """
SELECT count(*) FROM (
    SELECT least(floor(round(confidence::DOUBLE * 10, 5)), 9)::INTEGER AS bin, count(*) AS trials,
           avg(confidence) AS confidence, count(*) FILTER (agrees) AS agreeing
    FROM judged WHERE confidence IS NOT NULL GROUP BY ALL
) AS again FULL JOIN calibration AS told USING (bin)
WHERE told.trials IS DISTINCT FROM again.trials OR differs(told.confidence, again.confidence)
   OR wrong_share(agreeing, again.trials, told.agreement, agreement_low, agreement_high)
"""


@validator
def report_counts_what_is_published(
    files: Files, buckets: Sequence[Path], gold: Mapping[str, tuple[str, ...]]
) -> Finding:
    """Schemas; counts, shares, intervals, agreement with ``gold``, confusion and calibration computed again from the
    buckets' files (DuckDB); κ and Brier scores within their ranges, Brier of all trials recomputed."""
    for table, schema in _TABLES.items():
        if wrong := schema_differences(files, table, schema):
            return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    with open_tables({**files, "data": list(buckets)}, "data", *_TABLES) as connection:
        connection.execute(_MACROS)
        connection.execute("CREATE TABLE gold (nct_id VARCHAR, categories VARCHAR[])")
        if gold:
            connection.executemany(
                "INSERT INTO gold VALUES (?, ?)", [(name, list(each)) for name, each in gold.items()]
            )
        connection.execute(_JUDGED)
        miscounted, rates = connection.execute(_CATEGORIES).fetchone()
        again = compared, agreeing, _ = connection.execute(
            "SELECT count(*), count(*) FILTER (agrees), avg((confidence - agrees::INTEGER) ^ 2) FROM judged"
        ).fetchone()
        agreement, outside = _agreement(connection, again)
        confused = connection.execute(_CONFUSION).fetchone()[0]
        calibrated = connection.execute(_CALIBRATION).fetchone()[0]
    problems = {
        "categories miscounted": miscounted,
        "rates that do not follow from their counts": rates,
        "agreement miscounted": agreement,
        "confusion miscounted": confused,
        "calibration miscounted": calibrated,
        "figures outside their range": outside,
    }
    said = f"{agreeing:,} of {compared:,} trials agree with gold" if compared else "no gold to compare with"
    return verdict(problems, said, {"compared": compared, "agreeing": agreeing})


def _agreement(connection: duckdb.DuckDBPyConnection, again: tuple[int, int, float | None]) -> tuple[int, int]:
    """Rows of agreement that are wrong, and that are impossible. ``again``: trials, agreeing, Brier score, of all."""
    told = connection.execute(
        "SELECT trials, agreeing, brier FROM agreement WHERE scope = 'gold' AND split = 'all'"
    ).fetchall()
    expected = [again] if again[0] else []
    same = [row[:2] for row in told] == [row[:2] for row in expected]
    if same and told:
        brier, recomputed = told[0][2], again[2]
        same = brier == recomputed or (None not in (brier, recomputed) and abs(brier - recomputed) < 1e-9)
    wrong, outside = connection.execute("""
        SELECT count(*) FILTER (wrong_share(agreeing, trials, agreement, agreement_low, agreement_high)),
               count(*) FILTER (coalesce(kappa, 0) NOT BETWEEN -1 AND 1 OR coalesce(brier, 0) NOT BETWEEN 0 AND 1
                                OR coalesce(calibration_error, 0) NOT BETWEEN 0 AND 1)
        FROM agreement
    """).fetchone()
    return wrong + (not same), outside


@validator
def agreement_reaches_its_floor(files: Files, floor: float) -> Finding:
    """The lower end of the interval of agreement with gold is at least ``floor``; passes, saying so, without gold."""
    with open_tables(files, "agreement") as connection:
        rows = connection.execute("""
            SELECT trials, agreement, agreement_low, agreement_high, kappa FROM agreement
            WHERE scope = 'gold' AND split = 'all'
        """).fetchall()
    if not rows:
        return Finding(True, "no gold to compare with", {"trials": 0})
    trials, agreement, low, high, kappa = rows[0]
    said = f"agreement {agreement:.3f} ({low:.3f} to {high:.3f}) of {trials:,} trials, floor {floor:g}"
    figures = {"trials": trials, "agreement": round(agreement, 4), "agreement_low": round(low, 4)}
    return Finding(low >= floor, said, figures | ({} if kappa is None else {"kappa": round(kappa, 4)}))


@validator
def usage_costs_what_its_tokens_cost(files: Files, calls: pa.Table | None, prices: Prices) -> Finding:
    """The cost per model is that of its ``calls`` (`report.usage.ledger_calls`), priced again from tokens and time.

    Of a ledger that went on since, the calls that came later do not count; without a ledger there is nothing to
    compare with, and it passes, saying so.
    """
    with open_tables(files, "usage") as connection:
        told = {
            model: (count, cost)
            for model, count, cost in connection.execute("SELECT model, calls, cost_usd FROM usage").fetchall()
        }
    total = sum(cost for _, cost in told.values())
    if calls is None:
        return Finding(True, "no ledger here to compare with", {"cost_usd": round(total, 6)})
    reported, missing = _first_calls(calls, {model: count for model, (count, _) in told.items()})
    try:
        again = cost_again(reported, prices)
    except ValueError as unpriced:
        return Finding(False, str(unpriced), {"cost_usd": round(total, 6)})
    # Sums of the published table are rounded to 1e-10.
    differing = [model for model, (_, cost) in told.items() if abs(cost - again.get(model, 0.0)) > 1e-6]
    problems = {
        "models whose cost differs from that of their tokens": len(differing),
        "calls not in the ledger": missing,
    }
    figures = {"cost_usd": round(total, 6), "recomputed_usd": round(sum(again.values()), 6)}
    return verdict(problems, f"${total:,.4f}, as the tokens of {reported.num_rows:,} calls cost", figures)


def _first_calls(calls: pa.Table, counts: Mapping[str, int]) -> tuple[pa.Table, int]:
    """Of each model its first calls in order of time, as many as were counted; and how many of those are missing."""
    left = dict(counts)
    kept = []
    for model in calls["asked_model"].to_pylist():
        kept.append(left.get(model, 0) > 0)
        if kept[-1]:
            left[model] -= 1
    return calls.filter(kept), sum(left.values())
