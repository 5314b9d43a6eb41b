"""Virtual type-1-diabetes patients: cohort, glucose time series, forecast windows and labels, splits.

``assets`` is the family's door to Dagster; every other module here is domain code that imports no Dagster.
"""
