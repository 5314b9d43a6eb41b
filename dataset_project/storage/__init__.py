"""Files without Dagster: the dataset store, commit records, fingerprints, seeding and the DuckDB catalogue.

Nothing here knows a dataset family or imports Dagster.
"""
