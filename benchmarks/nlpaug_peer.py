"""nlpaug 1.1.11 as its users drive it: one augmenter, a loop over texts, a stated number of words changed in each.

What it cannot find offline is given to it: WordNet from the project's carrier, part-of-speech tags by textblob's tagger
(its own needs a download), GloVe as a text file of the 30,000 commonest words, TF-IDF trained on the same texts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

# Words changed in each text; one where words that may change are few.
WORDS = {
    **dict.fromkeys(("keyboard", "ocr", "char_insert", "char_substitute", "char_swap", "char_delete"), 3),
    **dict.fromkeys(("spelling", "word_split", "word_delete"), 3),
    "word_crop": 2,
    **dict.fromkeys(("word_swap", "wordnet_synonym", "antonym", "embedding_substitute"), 1),
    **dict.fromkeys(("tfidf_substitute", "tfidf_insert"), 1),
}


def augmenters(directory: Path, texts: list[str]) -> dict[str, Callable[[str], object]]:
    """Our method → nlpaug's ``augment``, each set to change WORDS words. ``directory`` is scratch space with WordNet in
    it."""
    import nlpaug.augmenter.char as nac
    import nlpaug.augmenter.word as naw
    import nlpaug.model.word_dict as nmw
    import nlpaug.model.word_stats as nmws
    from nlpaug.util.text.tokenizer import Tokenizer
    from textblob.en import parser

    nmw.WordNet.pos_tag = classmethod(lambda cls, tokens: [tuple(each) for each in parser.find_tags(list(tokens))])
    tfidf = nmws.TfIdf()
    tfidf.train([Tokenizer.tokenizer(text) for text in texts])
    tfidf.save(str(directory))

    def words(name: str) -> dict[str, int]:
        return {"aug_min": WORDS[name], "aug_max": WORDS[name]}

    def letters(name: str) -> dict[str, int]:
        return {"aug_word_min": WORDS[name], "aug_word_max": WORDS[name], "aug_char_min": 1, "aug_char_max": 1}

    made = {
        "keyboard": nac.KeyboardAug(**letters("keyboard")),
        "ocr": nac.OcrAug(**letters("ocr")),
        **{
            f"char_{action}": nac.RandomCharAug(action, **letters(f"char_{action}"))
            for action in ("insert", "substitute", "swap", "delete")
        },
        "spelling": naw.SpellingAug(**words("spelling")),
        "word_split": naw.SplitAug(**words("word_split")),
        **{
            f"word_{action}": naw.RandomWordAug(action, **words(f"word_{action}"))
            for action in ("swap", "delete", "crop")
        },
        "wordnet_synonym": naw.SynonymAug("wordnet", **words("wordnet_synonym")),
        "antonym": naw.AntonymAug(**words("antonym")),
        "tfidf_substitute": naw.TfIdfAug(str(directory), "substitute", **words("tfidf_substitute")),
        "tfidf_insert": naw.TfIdfAug(str(directory), "insert", **words("tfidf_insert")),
        "embedding_substitute": naw.WordEmbsAug(
            "glove", str(directory / "glove.txt"), top_k=6, skip_check=True, **words("embedding_substitute")
        ),
    }
    return {name: augmenter.augment for name, augmenter in made.items()}


def write_glove(path: Path, words: list[str], vectors) -> None:
    """GloVe's own text format."""
    with path.open("w", encoding="utf-8") as file:
        for word, vector in zip(words, vectors, strict=True):
            file.write(f"{word} {' '.join(f'{value:.5f}' for value in vector)}\n")
