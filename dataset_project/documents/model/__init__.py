"""A document before it has a format: blocks, zones, planted values; and its canonical text with spans."""
