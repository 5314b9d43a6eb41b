"""Trials read from files and from the registry: studies and table rows in, trials and rejects with reasons out."""
