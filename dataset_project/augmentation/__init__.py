"""Augmentation: a labelled sentence table in, one dataset per combination of text-augmentation methods out.

`assets` and `checks` are the family's door; the rest knows no Dagster. `text` reads sentences without losing a byte,
`methods` propose edits, `quality` measures them, `engine` decides which are accepted, `preparation` makes the lexical
tables, `sentences` reads the input, `validation` judges what was made, `report` says how it went.
"""
