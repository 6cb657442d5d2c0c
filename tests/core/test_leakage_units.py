"""No sentence is in two units in (nearly) the same words, and no unit grows to hold most of the rows."""

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.core.leakage_units import CONTAINED, leakage_units, near_same
from onrecord.core.text_normalization import normalized_words

VOCABULARY = [f"w{i}" for i in range(14)]
TEXTS = st.lists(st.lists(st.sampled_from(VOCABULARY), min_size=2, max_size=9, unique=True).map(" ".join), min_size=2, max_size=14)  # fmt: skip


def similarity(one: str, other: str) -> tuple[float, float]:
    a, b = set(normalized_words(one)), set(normalized_words(other))
    return len(a & b) / len(a | b), len(a & b) / min(len(a), len(b))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.data(), st.sampled_from([0.5, 0.6, 0.75, 0.9]))
def test_every_near_pair_across_groups_is_found_and_nothing_else(texts, data, threshold):
    groups = [data.draw(st.sampled_from("abcd")) for _ in texts]
    found = near_same(texts, groups, near=threshold, min_words=1)
    pairs = {pair[:2] for pair in found.pairs}
    units = leakage_units(groups, found).unit_of
    for i, j in itertools.combinations(range(len(texts)), 2):
        jaccard, contained = similarity(texts[i], texts[j])
        one, other = sorted((int(found.text_of[i]), int(found.text_of[j])))
        assert (one == other) == (normalized_words(texts[i]) == normalized_words(texts[j]))
        if one != other and groups[i] != groups[j] and jaccard >= threshold - 1e-12:
            assert (one, other) in pairs
        if (one, other) in pairs:
            assert jaccard >= threshold - 1e-12 or contained >= CONTAINED
        if groups[i] == groups[j]:
            assert units[i] == units[j]


def sentence(draw: random.Random, length: int = 18) -> list[str]:
    return [f"word{draw.randrange(5000)}" for _ in range(length)]


EDITS = {
    "the same": lambda words, draw: words,
    "upper case": lambda words, draw: [word.upper() for word in words],
    "a fifth of the words changed": lambda words, draw: [
        "other" + w if i in gone else w for gone in [draw.sample(range(18), 4)] for i, w in enumerate(words)
    ],
    "contained in a longer one": lambda words, draw: [*sentence(draw, 12), *words, *sentence(draw, 10)],
    "homoglyphs": lambda words, draw: [word.replace("o", "\u043e") for word in words],
    "full-width letters": lambda words, draw: [word.replace("w", "\uff57") for word in words],
    "hyphenated at line ends": lambda words, draw: [word[:2] + "-\n" + word[2:] if i % 3 == 0 else word for i, word in enumerate(words)],
    "soft hyphens": lambda words, draw: [word[:2] + "\u00ad" + word[2:] for word in words],
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_a_sentence_edited_for_another_group_is_in_the_same_unit(edit):
    draw = random.Random(edit)
    originals = [sentence(draw) for _ in range(50)]
    texts = [" ".join(words) for words in originals]
    texts += [" ".join(EDITS[edit](words, draw)) for words in originals]
    texts += [" ".join(sentence(draw)) for _ in range(100)]
    groups = [f"g{i}" for i in range(len(texts))]
    units = leakage_units(groups, near_same(texts, groups))
    caught = sum(units.unit_of[i] == units.unit_of[50 + i] for i in range(50))
    assert caught >= (45 if "fifth" in edit else 50)
    assert units.joined == 2 * caught
    assert Counter(units.unit_of).most_common(1)[0][1] == 2


def test_boilerplate_does_not_join_every_group():
    """A line under every article would make one unit of them all: it is named instead."""
    draw = random.Random(1)
    line = "Sign up here for our newsletter and read it every morning before nine"
    texts, groups = [], []
    for group in range(40):
        texts += [" ".join(sentence(draw)) for _ in range(5)] + [line]
        groups += [f"g{group:02}"] * 6
    units = leakage_units(groups, near_same(texts, groups))
    assert len(set(units.unit_of)) == 40
    assert [len(rows) for rows in units.recurring] == [40]


def test_an_article_in_two_groups_joins_them():
    texts = [" ".join(sentence(random.Random(i))) for i in range(3)]
    found = near_same(texts, ["a", "b", "c"])
    assert leakage_units(["a", "b", "c"], found, ["x", "y", "x"]).unit_of == ["a", "b", "a"]


def test_a_table_without_long_texts_has_each_group_as_a_unit():
    found = near_same(["yes", "no", "yes"], ["a", "b", "c"])
    assert leakage_units(["a", "b", "c"], found).unit_of == ["a", "b", "c"]
