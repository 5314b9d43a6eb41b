"""Trials: clinical trials in, each categorised by rules or by a model, with an honest figure of agreement.

`assets` and `checks` are the family's door; the rest knows no Dagster. `records` reads trials from files and from the
registry, `schemes` turns facts into categories, `categorisers` extract the facts, `validation` judges what was made,
`report` says how it went.
"""
