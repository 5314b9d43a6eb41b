"""Rules about what was made, recomputed independently of the code that made it."""
