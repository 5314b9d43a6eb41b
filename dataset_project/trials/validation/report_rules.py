"""What must hold for the report: its counts are those of the published buckets, and agreement does not fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dataset_project.storage.published import Files, open_tables, schema_differences, validator, verdict
from dataset_project.storage.validation import Finding
from dataset_project.trials.schemas import AGREEMENT, CALIBRATION, CATEGORY_COUNTS, CONFUSION, MODEL_USAGE

_TABLES = {
    "categories": CATEGORY_COUNTS,
    "agreement": AGREEMENT,
    "confusion": CONFUSION,
    "calibration": CALIBRATION,
    "usage": MODEL_USAGE,
}


@validator
def report_counts_what_is_published(
    files: Files, buckets: Sequence[Path], gold: Mapping[str, tuple[str, ...]]
) -> Finding:
    """Schemas; trials per category and agreement with ``gold`` counted again from the buckets' files (DuckDB); tables
    that add up to each other."""
    for table, schema in _TABLES.items():
        if wrong := schema_differences(files, table, schema):
            return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    with open_tables({**files, "data": list(buckets)}, "data", *_TABLES) as connection:
        miscounted = connection.execute("""
            SELECT count(*) FROM categories
            FULL JOIN (SELECT category, count(*) AS rows FROM data WHERE status = 'ok' GROUP BY category) AS again
                USING (category)
            WHERE coalesce(trials, -1) <> coalesce(rows, 0)
        """).fetchone()[0]
        right = [(name, category) for name, categories in gold.items() for category in categories]
        connection.execute("CREATE TABLE gold (nct_id VARCHAR, category VARCHAR)")
        if right:
            connection.executemany("INSERT INTO gold VALUES (?, ?)", right)
        compared, agreeing = connection.execute("""
            SELECT count(*), count(*) FILTER (EXISTS (FROM gold WHERE gold.nct_id = data.nct_id
                                                      AND gold.category = data.category))
            FROM data WHERE status = 'ok' AND nct_id IN (SELECT nct_id FROM gold)
        """).fetchone()
        told = connection.execute(
            "SELECT trials, agreeing FROM agreement WHERE scope = 'gold' AND split = 'all'"
        ).fetchall()
        confused = connection.execute("SELECT coalesce(sum(trials), 0) FROM confusion").fetchone()[0]
        outside = connection.execute("""
            SELECT count(*) FROM agreement
            WHERE NOT (agreement BETWEEN agreement_low - 1e-9 AND agreement_high + 1e-9)
               OR coalesce(kappa, 0) NOT BETWEEN -1 AND 1 OR coalesce(brier, 0) NOT BETWEEN 0 AND 1
        """).fetchone()[0]
    problems = {
        "categories miscounted": miscounted,
        "agreement miscounted": int(told != ([(compared, agreeing)] if compared else [])),
        "confusion does not add up": int(confused != compared),
        "figures outside their range": outside,
    }
    said = f"{agreeing:,} of {compared:,} trials agree with gold" if compared else "no gold to compare with"
    return verdict(problems, said, {"compared": compared, "agreeing": agreeing})


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
def usage_costs_what_its_tokens_cost(files: Files, recomputed: Mapping[str, float]) -> Finding:
    """The cost per model is that of its calls, priced again from tokens and time (``recomputed``: model → USD)."""
    with open_tables(files, "usage") as connection:
        told = dict(connection.execute("SELECT model, cost_usd FROM usage").fetchall())
    differing = {
        model for model in {*told, *recomputed} if abs(told.get(model, 0.0) - recomputed.get(model, 0.0)) > 1e-6
    }
    total = sum(told.values())
    return verdict({"models whose cost differs": len(differing)}, f"${total:,.4f}", {"cost_usd": round(total, 6)})
