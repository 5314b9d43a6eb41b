"""One command per family, each figure measured against a peer in the same run: ``python -m benchmarks.<family>``."""
