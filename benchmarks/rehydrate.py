"""
Re-hydration of many articles from the user's own copies, beside a plain way with difflib, in one run.

    .venv/bin/python benchmarks/rehydrate.py [ARTICLES] [DIFFLIB_ARTICLES]

Made-up articles of 25 sentences. A quarter of the copies are the same text; a quarter differ in quotes, newlines
and boilerplate; a quarter lack a paragraph; a quarter have one word in forty changed. The plain way is given
what a stand-off release never holds, the sentences themselves, and asks difflib for the best matching stretch
of the copy (`SequenceMatcher.find_longest_match` grown to the sentence's length, ratio 0.9 or more); it runs
on fewer articles, and its time a sentence is compared. Processor time, one process.
"""

import difflib
import sys
import time

import numpy as np

from onrecord.core.records import text_sha256
from onrecord.core.text_normalization import normalized_letters
from onrecord.dataset.standoff.alignment import recover_articles
from onrecord.dataset.standoff.fingerprints import fingerprint

SENTENCES = 25


def article(draw: np.random.Generator, words: list[str]) -> list[str]:
    """Return the sentences of one article."""
    found = []
    for _ in range(SENTENCES):
        chosen = [
            words[min(int(i), len(words)) - 1] for i in draw.zipf(1.2, int(draw.integers(8, 30)))
        ]
        found.append(f"“{' '.join(chosen).capitalize()},” she said." if draw.random() < 0.3 else " ".join(chosen).capitalize() + ".")  # fmt: skip
    return found


def copy_of(draw: np.random.Generator, kind: int, sentences: list[str]) -> str:
    """Return the user's copy of the article, by one of four kinds of change."""
    if kind == 0:
        return "\n".join(sentences)
    if kind == 1:
        text = "Subscribe now\n" + "\n".join(sentences)
        return text.replace("“", '"').replace("”", '"').replace("\n", "\r\n")
    if kind == 2:
        return "\n".join(sentences[:8] + sentences[12:])
    changed = [" ".join("another" if draw.random() < 0.025 else w for w in s.split(" ")) for s in sentences]  # fmt: skip
    return "\n".join(changed)


def plain_way(wanted: list[str], copy: str) -> int:
    """Return how many sentences difflib finds again in the copy."""
    found = 0
    for sentence in wanted:
        matcher = difflib.SequenceMatcher(None, sentence, copy, autojunk=False)
        match = matcher.find_longest_match()
        start = max(0, match.b - match.a)
        stretch = copy[start : start + len(sentence)]
        found += difflib.SequenceMatcher(None, sentence, stretch, autojunk=False).ratio() >= 0.9
    return found


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    plain_n = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    draw = np.random.default_rng(1)
    words = ["".join(draw.choice(list("abcdefghilmnoprstu"), int(draw.integers(2, 10)))) for _ in range(20_000)]  # fmt: skip
    articles, rows, copies, originals, expected, folded_of = [], [], {}, {}, {}, {}
    for i in range(n):
        name, sentences = f"a{i:06}", article(draw, words)
        text = "\n".join(sentences)
        copies[name], originals[name] = copy_of(draw, i % 4, sentences), sentences
        folded_copy = normalized_letters(copies[name]).text
        expected[name] = sum(normalized_letters(s).text in folded_copy for s in sentences)
        articles.append({"article_id": name, "group_id": name, "sha256": text_sha256(text)})
        at = 0
        for sentence in sentences:
            end = at + len(sentence)
            folded_of[f"{name}:{at}-{end}"] = normalized_letters(sentence).text
            rows.append({"sentence_id": f"{name}:{at}-{end}", "article_id": name, "start": at, "end": end,
                         "sha256": text_sha256(sentence), "furniture": None} | fingerprint(sentence))  # fmt: skip
            at = end + 1
    before = time.process_time()
    found = recover_articles(articles, rows, copies)
    ours = time.process_time() - before
    recovered = {name: len(article.places) for name, article in found.items()}
    total = n * SENTENCES
    print(f"{n:,} articles, {total:,} sentences: {ours:.1f} s, {ours / total * 1e6:.0f} µs per sentence, "
          f"{sum(recovered.values()) / total:.1%} recovered ({sum(expected.values()) / total:.1%} have unchanged letters)")  # fmt: skip
    for kind, what in enumerate(["same text", "quotes, newlines, boilerplate", "a paragraph lacking", "words changed"]):  # fmt: skip
        mine = [name for i, name in enumerate(recovered) if i % 4 == kind]
        print(f"  {what}: {sum(recovered[m] for m in mine) / len(mine) / SENTENCES:.1%} back")
    wrong = sum(
        normalized_letters(article.text[place.start : place.end]).text != folded_of[sentence]
        for article in found.values()
        for sentence, place in article.places.items()
    )
    print(f"  wrong sentences among the {sum(recovered.values()):,}: {wrong}")
    before = time.process_time()
    names = list(originals)[:plain_n]
    plain = sum(plain_way(originals[name], copies[name]) for name in names)
    theirs = time.process_time() - before
    print(f"difflib, {plain_n} articles: {theirs:.1f} s, {theirs / plain_n / SENTENCES * 1e6:.0f} µs per sentence "
          f"({theirs / plain_n / (ours / n):.0f} times ours), {plain / plain_n / SENTENCES:.1%} back, changed words among them")  # fmt: skip


if __name__ == "__main__":
    main()
