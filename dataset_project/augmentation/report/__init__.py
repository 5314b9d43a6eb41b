"""What the combos came to: statistics, downstream comparison, pictures, the dataset card."""
