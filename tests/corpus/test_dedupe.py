"""Groups of copies: edited versions join, shared stock text does not, and nothing chains."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.corpus import dedupe, shingles

WORD = re.compile(r"\w+")
BANDS, ROWS = 60, 3
RULES = {"bands": BANDS, "jaccard": 0.33, "containment": 0.52, "shared": 40, "bucket": 64}
STOCK = "This paragraph stands at the end of every article that this paper has printed since its founding."


def words(seed: int, count: int) -> list[str]:
    return [f"w{n}" for n in np.random.default_rng(seed).integers(0, 5000, count)]


def roots(*parts: list[str], rows: int = ROWS, **changed: float) -> list[int]:
    """Return the groups of the texts of several parts, each sketched into a file of its own."""
    rules = {**RULES, **changed}
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.sketches" for number in range(len(parts))]
        for path, texts in zip(paths, parts, strict=True):
            dedupe.write_sketches(path, texts, bands=rules["bands"], rows=rows)
        return dedupe.groups(dedupe.Sketches(paths), **rules).tolist()


def test_edited_copies_join_and_other_stories_do_not():
    story = words(1, 400)
    cut, more = story[:150] + story[230:], story[:200] + words(2, 90) + story[200:]
    other = words(3, 400)
    texts = [" ".join(w) for w in (story, other, cut, more)]
    assert roots(texts) == [0, 1, 0, 0]


def test_case_and_layout_do_not_matter():
    story = words(1, 100)
    assert roots([" ".join(story), "“" + ",\n\n".join(story).upper() + ".”"]) == [0, 0]


def test_a_stock_paragraph_shared_by_all_makes_no_group():
    texts = [" ".join([*words(n, 150), *STOCK.split()]) for n in range(300)]
    assert roots(texts) == list(range(300))


def test_short_articles_of_stock_text_alone_are_copies_only_of_one_another():
    texts = [STOCK, " ".join([*words(9, 200), STOCK]), STOCK + " "]
    assert roots(texts) == [0, 1, 0]


def test_a_short_version_within_a_long_one_joins():
    story = words(4, 600)
    assert roots([" ".join(story), " ".join(story[:330])]) == [0, 0]


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["one two", "one two"], ["…", "!"]])
def test_texts_too_short_to_compare_stand_alone(texts):
    assert roots(texts) == list(range(len(texts)))


def test_articles_left_out_are_compared_with_none():
    texts = [" ".join(words(1, 100))] * 3
    assert roots(texts, without={1}) == [0, 1, 0]


def test_the_cost_within_one_bucket_is_capped(monkeypatch):
    """All 500 articles share every band's bucket with some others; each is compared with 5 at most a band."""
    compared = []
    real = dedupe.are_copies
    monkeypatch.setattr(dedupe, "are_copies", lambda *a, **k: compared.append(1) or real(*a, **k))
    stock = words(0, 60)
    texts = [" ".join([*stock, *words(n, 90)]) for n in range(1, 501)]
    assert roots(texts, bucket=5) == list(range(500))
    assert len(compared) <= 500 * 5 * BANDS
    capped = len(compared)
    roots(texts, bucket=64)
    assert len(compared) - capped > capped  # the cap is what bounds it


def test_sketches_in_several_files_give_the_same_groups():
    texts = [" ".join(words(n % 7, 80)) for n in range(20)] + ["", "a b"]
    assert roots(texts[:5], [], texts[5:6], texts[6:]) == roots(texts)
    assert roots() == []


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab c", max_size=30), max_size=6))
def test_groups_name_their_first_member_and_do_not_depend_on_shards(texts):
    found = roots(texts)
    assert all(found[root] == root <= index for index, root in enumerate(found))
    same = {}
    for index, text in enumerate(texts):
        if len(own := WORD.findall(text.lower())) >= 3:
            assert found[same.setdefault(" ".join(own), index)] == found[index]


LETTERS = st.characters() | st.sampled_from("ab  ’é_1İ\U0001f68c\U00020000\ud800")


@settings(deadline=None)
@given(st.lists(st.text(LETTERS, max_size=40), max_size=5), st.sampled_from([40, 99, 1 << 16]))
def test_the_hashes_of_shingles_tell_the_same_ones_from_others(texts, at_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shingles, "AT_ONCE", at_once)
        hashes, ends = shingles.shingle_hashes(texts)
    every: dict[str, None] = {}
    for text, begin, end in zip(texts, ends, ends[1:], strict=False):
        words = WORD.findall(text.lower())
        own = {" ".join(words[at : at + 3]) for at in range(len(words) - 2)}
        found = hashes[begin:end].tolist()
        assert found == sorted({*found})
        assert len(found) == len(own)
        every |= dict.fromkeys(own)
    assert len({*hashes.tolist()}) == len(every)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)))
def test_the_verification_is_jaccard_or_containment(one, other):
    a, b = set(one), set(other)
    arrays = [np.array(sorted(s), np.uint64) for s in (a, b)]
    copies = dedupe.are_copies(*arrays, jaccard=0.5, containment=0.8, shared=3)
    common = len(a & b)
    want = bool(a and b) and (
        common / len(a | b) >= 0.5 or (common >= 3 and common / min(len(a), len(b)) >= 0.8)
    )
    assert copies == want


def test_a_long_text_is_hashed_in_parts_to_the_same_hashes(monkeypatch):
    texts = [" ".join(words(1, 300)), "İx" * 99, "x" * 99, "", " ".join(words(2, 300))]
    whole, ends = shingles.shingle_hashes(texts)
    monkeypatch.setattr(shingles, "AT_ONCE", 20)
    parts, ends_of_parts = shingles.shingle_hashes(texts)
    assert ends.tolist()[:2] == ends_of_parts.tolist()[:2] == [0, 298]
    assert whole[:298].tolist() == parts[:298].tolist()
    assert whole[-298:].tolist() == parts[-298:].tolist()


def edited(story: list[str], seed: int) -> list[str]:
    """Return a version of a story: three blocks of its words dropped, replaced and added, a quarter in all."""
    n = len(story) // 12
    kept = story[n : 6 * n] + words(seed, n) + story[7 * n :]
    return [*kept[: 9 * n], *words(seed + 1, n), *kept[9 * n :]]


def test_stock_settings_miss_half_of_edited_copies_and_unverified_buckets_chain(monkeypatch):
    """The usual threshold of 0.8 with 128 permutations is 9 bands of 13; the usual tools join whole buckets."""
    stories = [words(10 * n, 240) for n in range(1, 61)]
    versions = [edited(story, 10 * n + 1) for n, story in enumerate(stories, 1)]
    texts = [" ".join([*story, *words(7, 120)]) for story in (*stories, *versions)]  # all end alike

    def found(bands: int, rows: int, **rules: float) -> tuple[int, int]:
        """Return how many of the 60 pairs are together, and how many articles the largest group has."""
        group = roots(texts, bands=bands, rows=rows, **rules)
        together = sum(group[n] == group[n + 60] for n in range(60))
        return together, max(map(group.count, group))

    assert found(BANDS, ROWS) == (60, 2)
    assert found(9, 13)[0] < 30
    monkeypatch.setattr(dedupe, "LEAST", 0)
    assert found(BANDS, ROWS, jaccard=0, containment=0, shared=0)[1] > 60
