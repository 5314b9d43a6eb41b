"""Sentences as spans: lossless tokens, what must not change, edits and guards."""
