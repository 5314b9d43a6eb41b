"""From series to learning problems: labels, forecast windows, training files, normalisation and baselines."""
