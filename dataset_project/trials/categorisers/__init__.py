"""Categorisers: how a trial's facts are found, by rules, by a model, or by one after the other."""
