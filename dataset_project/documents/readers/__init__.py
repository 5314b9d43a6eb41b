"""Readers: the files read back by libraries that had no part in writing them."""
