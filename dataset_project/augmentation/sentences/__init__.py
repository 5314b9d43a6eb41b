"""The input: reading any labelled sentence table, naming what is wrong with it, and splitting it without leaks."""
