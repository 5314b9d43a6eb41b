"""Lexical resources, made once from pinned data carriers and shared read-only by all combos."""
