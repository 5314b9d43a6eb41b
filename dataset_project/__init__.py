"""Machine-learning datasets for health care, as Dagster assets.

Only the version lives here: every worker process imports this package first, so it imports nothing.
"""

__version__ = "0.1.0"
