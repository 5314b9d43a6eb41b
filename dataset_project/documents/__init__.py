"""Documents: synthetic office documents with and without PHI, every planted identifier known by place.

`assets` and `checks` are the family's door; the rest knows no Dagster. `identities` makes the people and their
identifiers, `templates` say what is written about them, `model` is a document before it has a format, `formats` write
it and tell where each identifier went, `readers` find it again independently, `validation` judges, `report` tells.
"""
