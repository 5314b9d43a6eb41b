"""Calling models for any family: under the provider's limits, at a known cost, nothing lost, nothing paid twice.

`runtime` is the door: run these structured requests, embed these texts. Behind it a task ledger that outlives every
process (`ledger`), a rate limiter that processes share (`limiter`), the client (`client`, `calling`), prices and token
counts (`prices`, `tokens`) and the embedding cache (`cache`). No Dagster and no domain here.
"""
