"""Lexical resources, made once from pinned data carriers and shared read-only by all combos."""

RESOURCES = (
    "wordnet_synonyms",
    "wordnet_hypernyms",
    "wordnet_antonyms",
    "glove_neighbours",
    "homophones",
    "tfidf_words",
)
"""Partitions of `augmentation_resources` that methods read."""
OF_SCORES = {"embedding": ("glove_vectors",), "minilm": ("minilm_originals",)}
"""Partitions that a similarity score needs besides."""
FROM_SENTENCES = frozenset({"tfidf_words", "minilm_originals"})
"""Partitions that are made from the source sentences."""
