"""What the documents came to: counts, coverage, pictures, the dataset card."""
