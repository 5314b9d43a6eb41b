"""nlpaug 1.1.11 as its users drive it: one augmenter, a loop over texts, one word changed in each.

What it cannot find offline is given to it: WordNet from the project's carrier, part-of-speech tags by textblob's tagger (its
own needs a download), GloVe as a text file of the 30,000 commonest words, TF-IDF trained on the same texts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

ONE = {"aug_min": 1, "aug_max": 1}
ONE_WORD = {"aug_word_min": 1, "aug_word_max": 1, "aug_char_min": 1, "aug_char_max": 1}


def augmenters(directory: Path, texts: list[str]) -> dict[str, Callable[[str], object]]:
    """Our method → nlpaug's ``augment``, each set to change one word. ``directory`` is scratch space with WordNet in it."""
    import nlpaug.augmenter.char as nac
    import nlpaug.augmenter.sentence as nas
    import nlpaug.augmenter.word as naw
    import nlpaug.model.word_dict as nmw
    import nlpaug.model.word_stats as nmws
    from nlpaug.util.text.tokenizer import Tokenizer
    from textblob.en import parser

    nmw.WordNet.pos_tag = classmethod(lambda cls, tokens: [tuple(each) for each in parser.find_tags(list(tokens))])
    tfidf = nmws.TfIdf()
    tfidf.train([Tokenizer.tokenizer(text) for text in texts])
    tfidf.save(str(directory))
    made = {
        "keyboard": nac.KeyboardAug(**ONE_WORD),
        "ocr": nac.OcrAug(**ONE_WORD),
        "char_insert": nac.RandomCharAug("insert", **ONE_WORD),
        "char_substitute": nac.RandomCharAug("substitute", **ONE_WORD),
        "char_swap": nac.RandomCharAug("swap", **ONE_WORD),
        "char_delete": nac.RandomCharAug("delete", **ONE_WORD),
        "spelling": naw.SpellingAug(**ONE),
        "word_split": naw.SplitAug(**ONE),
        "word_swap": naw.RandomWordAug("swap", **ONE),
        "word_delete": naw.RandomWordAug("delete", **ONE),
        "word_crop": naw.RandomWordAug("crop", aug_min=2, aug_max=2),
        "wordnet_synonym": naw.SynonymAug("wordnet", **ONE),
        "antonym": naw.AntonymAug(**ONE),
        "tfidf_substitute": naw.TfIdfAug(str(directory), "substitute", **ONE),
        "tfidf_insert": naw.TfIdfAug(str(directory), "insert", **ONE),
        "embedding_substitute": naw.WordEmbsAug("glove", str(directory / "glove.txt"), top_k=6, skip_check=True, **ONE),
        "sentence_shuffle": nas.RandomSentAug(tokenizer=_sentences, **ONE),
    }
    return {name: augmenter.augment for name, augmenter in made.items()}


def _sentences(text: str) -> list[str]:
    """nlpaug asks NLTK's punkt, a download; this splits as often."""
    import re

    return re.split(r"(?<=[.!?])\s+", text)


def write_glove(path: Path, words: list[str], vectors) -> None:
    """GloVe's own text format."""
    with path.open("w", encoding="utf-8") as file:
        for word, vector in zip(words, vectors, strict=True):
            file.write(f"{word} {' '.join(f'{value:.5f}' for value in vector)}\n")
