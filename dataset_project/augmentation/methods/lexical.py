"""Lexical methods: words become others that mean much the same, sound the same, or stand in another form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.methods.word import like
from dataset_project.augmentation.methods.wording import Options, content_words, replacing, words_for
from dataset_project.augmentation.preparation.tables import Prepared, TermTable
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.morphology import PAST, inflected, lemma, plural
from dataset_project.augmentation.text.tokens import Passage
from dataset_project.augmentation.text.tokens import passage as passage_of

_REMEMBERED = 4_096


def looked_up(table: TermTable, most: float) -> Options:
    """Candidates of a word's lemma with a score of at most ``most``, inflected as the word is."""

    def options(lower: str, part: str, tag: str) -> Sequence[str]:
        word = lemma(lower, part)
        scored = zip(table.candidates(word, part), table.scores(word, part), strict=True)
        found = [other for other, score in scored if score <= most]
        forms = [plural(other) if tag == "NNS" else inflected(other, tag) for other in found]
        return [form for form in forms if form and form != lower]

    return options


@implements("wordnet_synonym")
def _wordnet_synonym(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """As nlpaug's `SynonymAug`, but of the word's part of speech and in its form."""
    table = prepared["wordnet_synonyms"]
    return replacing(table, looked_up(table, parameters["senses"]))


@implements("hypernym")
def _hypernym(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """A dog becomes an animal, a bloke a man."""
    table = prepared["wordnet_hypernyms"]
    return replacing(table, looked_up(table, 1))


@implements("embedding_substitute")
def _embedding_substitute(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Near neighbours in a vector space (Wang & Yang 2015), of the same part of speech and form."""
    table, least, most = prepared["glove_neighbours"], parameters["cosine"], parameters["neighbours"]

    def options(lower: str, part: str, tag: str) -> Sequence[str]:
        near = zip(table.candidates(lower), table.scores(lower), strict=True)
        found = [other for other, cosine in near if cosine >= least]
        if tag in ("VBD", "VBN", PAST):
            found = [other for other in found if inflected(lemma(other, "v"), tag) == other]
        if part == "r":
            # Adverbs of manner stand for each other; "just", "ever" and "far" stand for nothing else.
            found = [other for other in found if lower.endswith("ly") and other.endswith("ly")]
        return found[:most]

    return replacing(table, options)


@implements("synonym_insert")
def _synonym_insert(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """A word and its synonym: "a calm and serene room"; nouns, which "and" would make two, as "couch/sofa"."""
    table = prepared["wordnet_synonyms"]
    options = lru_cache(maxsize=65_536)(looked_up(table, parameters["senses"]))

    @lru_cache(maxsize=_REMEMBERED)
    def sites(text: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
        passage, found, doubled = passage_of(text), [], words_for("never_doubled")
        for place, part, tag in content_words(passage, table):
            token = passage.tokens[place]
            joint = "/" if part == "n" else " and "
            if token.lower in doubled or lemma(token.lower, part) in doubled:
                continue
            if part == "n" or _may_be_joined(passage, place, part):
                added = tuple(joint + other for other in options(token.lower, part, tag))
                if added:
                    shouted = len(token.text) > 1 and token.text.isupper()
                    found.append((token.end, tuple(map(str.upper, added)) if shouted else added))
        return tuple(found)

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        found = sites(passage.text)
        chosen = draws.sample(found, passage.how_many(intensity, len(found)))
        return [Edit(end, end, draws.choice(added)) for end, added in chosen]

    return propose


def _may_be_joined(passage: Passage, place: int, part: str) -> bool:
    """Whether "and" may follow: nothing of the kind stands beside the word already, and no negation is near.

    "I can't stay and remain" says something else, and "calm and serene and quiet" is too much.
    """
    tags, tokens = passage.tags, passage.tokens
    around = {tags[near] for near in (place - 1, place + 1) if 0 <= near < len(tokens)}
    if "CC" in around or any(tag.startswith(tags[place][:2]) for tag in around):
        return False
    if part == "r":
        return tokens[place].lower.endswith("ly") and place + 1 < len(tokens) and tokens[place + 1].kind == "mark"
    return all(token.guard != "negation" for token in tokens[max(0, place - 4) : place])


@implements("inflection")
def _inflection(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Another form where grammar leaves the choice: the number of nouns that nothing agrees with, "started crying" or
    "started to cry", "she says" or "she said"."""

    @lru_cache(maxsize=_REMEMBERED)
    def sites(text: str) -> tuple[tuple[Edit, ...], ...]:
        passage = passage_of(text)
        return (*_other_number(passage), *_other_complement(passage), *_other_tense(passage))

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        found = sites(passage.text)
        chosen = draws.sample(found, passage.how_many(intensity, len(found)))
        return [edit for edits in chosen for edit in edits]

    return propose


def _other_number(passage: Passage) -> Iterator[tuple[Edit, ...]]:
    tokens, tags = passage.tokens, passage.tags
    for place, part, tag in content_words(passage):
        if part != "n" or not _number_is_free(passage, place):
            continue
        token = tokens[place]
        new = lemma(token.lower, "n") if tag == "NNS" else plural(token.lower)
        if new in words_for("uncounted") or token.lower in words_for("uncounted"):
            continue
        if new and new != token.lower and (tag == "NN" or plural(new) == token.lower) and tags[place] in ("NN", "NNS"):
            yield (Edit(token.start, token.end, like(new, token.text)),)


def _number_is_free(passage: Passage, place: int) -> bool:
    """Whether a determiner of either number, perhaps with an adjective, precedes, and no verb agrees with the noun."""
    tokens, tags = passage.tokens, passage.tags
    first = place - 1 if place and tokens[place - 1].lower in words_for("free_determiners") else place - 2
    if first < 0 or tokens[first].lower not in words_for("free_determiners"):
        return False
    if first == place - 2 and (tags[place - 1] != "JJ" or tokens[place - 1].lower in words_for("one_of_them")):
        return False
    if tokens[place].lower in words_for("one_of_them") or lemma(tokens[place].lower, "n") in words_for("one_of_them"):
        return False
    before = tokens[first - 1] if first else None
    if before and (before.guard in ("quantity", "number") or before.lower in ("of", "as") or _is_copula(before.lower)):
        return False
    if not words_for("singular_pronouns").isdisjoint(token.lower for token in tokens[place + 1 :]):
        return False  # one of them may mean this noun
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    if after is None or after.kind in ("mark", "newline", "emoji") or after.lower in words_for("free_followers"):
        return True
    # Past tenses agree with nothing, but a second verb further on might. Other followers may depend on the number.
    return tags[place + 1] in ("VBD", "MD") and after.lower not in ("was", "were") and "VBZ" not in tags[place + 1 :]


def _is_copula(lower: str) -> bool:
    """Whether the noun after it is what somebody or something is: "I'm her hero"."""
    return lower.endswith(("'m", "'s", "'re")) or lemma(lower, "v") in ("be", "become")


def _other_complement(passage: Passage) -> Iterator[tuple[Edit, ...]]:
    tokens, tags, text = passage.tokens, passage.tags, passage.text
    for place, token in enumerate(tokens[:-1]):
        if not token.is_open or not tags[place].startswith("VB") or tags[place] == "VBG":
            continue
        if lemma(token.lower, "v") not in words_for("either_complement"):
            continue
        after = tokens[place + 1]
        if after.is_open and tags[place + 1] == "VBG" and text[token.end : after.start] == " ":
            base = lemma(after.lower, "v")
            if base != after.lower and inflected(base, "VBG") == after.lower:
                yield (Edit(after.start, after.end, f"to {base}"),)
        elif after.lower == "to" and place + 2 < len(tokens):
            verb = tokens[place + 2]
            if verb.lower == "finish":  # from start to finish
                continue
            new = inflected(verb.lower, "VBG") if verb.is_open and tags[place + 2] == "VB" else ""
            if new and lemma(verb.lower, "v") == verb.lower:
                yield (Edit(after.start, verb.end, new),)


def _other_tense(passage: Passage) -> Iterator[tuple[Edit, ...]]:
    """Verbs of saying, in short sentences that others speak: "My boss says I'm fine", "My boss said I'm fine"."""
    tokens, tags = passage.tokens, passage.tags
    for start in sorted(passage.sentence_starts):
        end = next(
            (at for at in range(start, len(tokens)) if tokens[at].kind == "mark" and tokens[at].text[0] in ".!?"),
            len(tokens),
        )
        verbs = [at for at in range(start, end) if tags[at].startswith("VB")]
        place = verbs[0] if verbs else start
        token, base = tokens[place], lemma(tokens[place].lower, "v")
        if (
            not start < place <= start + 4
            or base not in words_for("reporting")
            or not _is_one_person(passage, start, place)
        ):
            continue
        words = {each.lower for each in tokens[start:end]}
        if "CC" in tags[place:end] or any(tags[at] == "VBD" for at in verbs[1:]) or words & words_for("past_times"):
            continue
        new = {inflected(base, "VBZ"): inflected(base, "VBD"), inflected(base, "VBD"): inflected(base, "VBZ")}.get(
            token.lower
        )
        if new:
            yield (Edit(token.start, token.end, like(new, token.text)),)


def _is_one_person(passage: Passage, start: int, place: int) -> bool:
    """Whether what stands before the verb is "he", "she", or "my boss": singular, and nothing else."""
    tokens, tags = passage.tokens, passage.tags
    if place == start + 1:
        return tokens[start].lower in ("he", "she")
    return (
        tokens[start].lower in words_for("free_determiners")
        and tags[place - 1] == "NN"
        and all(tags[at] in ("JJ", "NN") for at in range(start + 1, place))
    )


@implements("homophone")
def _homophone(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """As people write who spell by ear. Names and parts of longer words stay."""
    table = prepared["homophones"]

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens, starts = passage.tokens, passage.sentence_starts
        sites = []
        for place in passage.open_words:
            token = tokens[place]
            found = table.candidates(token.lower)
            if found and (place in starts or not token.text[0].isupper() or passage.text.isupper()):
                sites.append((token, found))
        edits = []
        for token, found in draws.sample(sites, passage.how_many(intensity, len(sites))):
            edits.append(Edit(token.start, token.end, like(draws.choice(found), token.text)))
        return edits

    return propose
