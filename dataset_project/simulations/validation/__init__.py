"""Rules about published files, recomputed from them with DuckDB; nothing here shares code with what wrote them."""
