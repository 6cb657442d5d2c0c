"""
Groups of copies: pair precision and recall, and CPU time, beside datasketch and rensa in the same run.

    python benchmarks/dedupe.py                # 20,000 articles, ours, rensa and datasketch
    python benchmarks/dedupe.py 5000 20000 80000 --ours    # growth of the cost

The articles are made: words of an invented vocabulary follow one another by a Markov chain with Zipf
weights, so that common phrases recur as they do in prose. Stories have one to six versions; a version has
5 to 30 % of its sentences dropped, added or replaced (with `--no-originals` the first one too, so that
two versions may have half their text in common). One article in five also carries one of twenty stock
paragraphs, and every third a slogan, which unrelated stories share. True pairs are the versions of a story.
"""

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rensa import RMinHash, RMinHashLSH

from onrecord.corpus import dedupe

HERE = Path(__file__).parent
CONFIG = yaml.safe_load((HERE.parent / "conf/ingest.yaml").read_text("utf-8"))["dedupe"]
RULES = {k: CONFIG[k] for k in ("jaccard", "containment", "shared", "bucket")}
WORDS, NEXT = 20_000, 24
LEAST_WORDS = 60  # fewer hardly have the 40 shingles in common that containment asks for


def sentences(count: int, rng: np.random.Generator, successors: np.ndarray) -> list[str]:
    """Return sentences of 8 to 30 words."""
    weights = 1 / np.arange(1, NEXT + 1)
    picks = rng.choice(NEXT, (count, 30), p=weights / weights.sum())
    words = np.empty((count, 30), np.int64)
    words[:, 0] = rng.integers(0, WORDS, count)
    for place in range(1, 30):
        words[:, place] = successors[words[:, place - 1], picks[:, place]]
    lengths = rng.integers(8, 31, count)
    return [
        " ".join(f"w{w}" for w in row[:n]) + "."
        for row, n in zip(words.tolist(), lengths.tolist(), strict=True)
    ]


def made(count: int, seed: int, originals: bool = True) -> tuple[list[str], list[int]]:
    """Return articles and the story of each; without ``originals`` every version is an edited one."""
    rng = np.random.default_rng(seed)
    ranks = np.minimum(rng.zipf(1.3, (WORDS, NEXT)), WORDS) - 1  # common words follow every word
    successors = (ranks + rng.integers(0, 50, (WORDS, NEXT))) % WORDS
    pool = iter(sentences(count * 30, rng, successors))
    stock = [" ".join(sentences(3, rng, successors)) for _ in range(20)]
    slogan = sentences(1, rng, successors)[0]
    texts: list[str] = []
    stories: list[int] = []
    while len(texts) < count:
        story = stories[-1] + 1 if stories else 0
        base = [next(pool) for _ in range(int(rng.integers(12, 36)))]
        for version in range(int(rng.choice([1, 2, 3, 4, 6], p=[0.5, 0.2, 0.15, 0.1, 0.05]))):
            body = base if originals and version == 0 else edited(base, pool, rng)
            extra = [stock[int(rng.integers(20))]] if rng.random() < 0.2 else []
            extra += [slogan] if rng.random() < 1 / 3 else []
            texts.append("\n".join([*body, *extra]))
            stories.append(story)
    return texts[:count], stories[:count]


def edited(base: list[str], pool: Iterable[str], rng: np.random.Generator) -> list[str]:
    """Return a version with 5 to 30 % of the sentences edited, in blocks of one to three."""
    body = list(base)
    edits = max(1, round(float(rng.uniform(0.05, 0.3)) * len(body)))
    while edits > 0:
        size = min(edits, int(rng.integers(1, 4)))
        at = int(rng.integers(0, max(1, len(body) - size)))
        kind = rng.integers(3)
        new = [next(iter(pool)) for _ in range(size)] if kind else []
        body[at : at + (0 if kind == 1 else size)] = new
        edits -= size
    return body


def pair_scores(roots: list[int], stories: list[int]) -> tuple[float, float, int]:
    """Return pair precision, pair recall and the size of the largest group."""

    def pairs(counts: Iterable[int]) -> int:
        return sum(n * (n - 1) // 2 for n in counts)

    hit = pairs(Counter(zip(roots, stories, strict=True)).values())
    found, true = pairs(Counter(roots).values()), pairs(Counter(stories).values())
    return hit / max(1, found), hit / true, max(Counter(roots).values())


def ours(texts: list[str]) -> list[int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sketches"
        dedupe.write_sketches(path, texts, bands=CONFIG["bands"], rows=CONFIG["rows"])
        return dedupe.groups(dedupe.Sketches([path]), bands=CONFIG["bands"], **RULES).tolist()


class Datasketch:
    """datasketch's index: at a threshold, or at our bands."""

    def __init__(self, threshold: float | None) -> None:
        from datasketch import MinHashLSH  # noqa: PLC0415 - a peer, not ours

        self.values = 128 if threshold else CONFIG["bands"] * CONFIG["rows"]
        how = (
            {"threshold": threshold} if threshold else {"params": (CONFIG["bands"], CONFIG["rows"])}
        )
        self.index = MinHashLSH(num_perm=self.values, **how)

    def candidates(self, number: int, shingles: set[str]) -> list[int]:
        """Return the earlier articles that share a bucket with this one, and add it."""
        from datasketch import MinHash  # noqa: PLC0415 - a peer, not ours

        sketch = MinHash(num_perm=self.values)
        sketch.update_batch(shingle.encode() for shingle in shingles)
        found = self.index.query(sketch)
        self.index.insert(number, sketch)
        return found


class Rensa:
    """rensa's index at our bands; its MinHash values are those that we use too."""

    def __init__(self) -> None:
        values = CONFIG["bands"] * CONFIG["rows"]
        self.index = RMinHashLSH(threshold=0.33, num_perm=values, num_bands=CONFIG["bands"])
        self.values = values

    def candidates(self, number: int, shingles: set[str]) -> list[int]:
        """Return the earlier articles that share a bucket with this one, and add it."""
        sketch = RMinHash(num_perm=self.values, seed=dedupe.SEED)
        sketch.update([*shingles])
        found = self.index.query(sketch)
        self.index.insert(number, sketch)
        return found


def peer(make_index: Callable[[], Any], verified: bool) -> Callable[[list[str]], list[int]]:
    """Return a peer's way: the candidates of its index, verified as ours or joined as they are."""

    def run(texts: list[str]) -> list[int]:
        index = make_index()
        parent = list(range(len(texts)))
        kept: list[set[str]] = []

        def root(i: int) -> int:
            while parent[i] != i:
                parent[i] = i = parent[parent[i]]
            return i

        for i, text in enumerate(texts):
            words = re.findall(r"\w+", text.lower())
            kept.append({" ".join(words[j : j + 3]) for j in range(len(words) - 2)})
            for j in index.candidates(i, kept[i]):
                a, b = root(i), root(j)
                if a != b and (not verified or alike(kept[i], kept[j])):
                    parent[max(a, b)] = min(a, b)
        return [root(i) for i in range(len(texts))]

    return run


def alike(one: set[str], other: set[str]) -> bool:
    common = len(one & other)
    return common >= RULES["jaccard"] * (len(one) + len(other) - common) or (
        common >= RULES["shared"] and common >= RULES["containment"] * min(len(one), len(other))
    )


def measured(run: Callable[[list[str]], list[int]], texts: list[str]) -> tuple[list[int], float]:
    begun = time.process_time()
    return run(texts), time.process_time() - begun


def shortened(count: int, seed: int) -> None:
    """Print how many articles are grouped with their own beginnings, by how much of them that is."""
    texts, stories = made(2 * count, seed)
    first = [
        texts[at] for at in sorted({s: n for n, s in reversed(list(enumerate(stories)))}.values())
    ]
    print("\n| share of the article | joined | of |\n|---|---|---|")
    for share in (0.6, 0.5, 0.4, 0.3, 0.2, 0.1):
        cut = [" ".join((words := text.split())[: int(share * len(words))]) for text in first]
        long = [n for n, text in enumerate(cut) if len(text.split()) >= LEAST_WORDS]
        roots = ours(first + cut)
        joined = sum(roots[n] == roots[n + len(first)] for n in long)
        print(f"| {share:.0%} | {joined} | {len(long)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=int, nargs="*", default=[20_000])
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("--no-originals", action="store_true")
    parser.add_argument("--shortened", action="store_true", help="articles beside their beginnings")
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    if options.shortened:
        shortened(options.counts[0], options.seed)
        return
    runs = {"onrecord": ours}
    if not options.ours:
        runs["rensa, same bands, verified"] = peer(Rensa, True)
        runs["datasketch, same bands, verified"] = peer(partial(Datasketch, None), True)
        runs["datasketch, same bands, buckets joined as they are"] = peer(
            partial(Datasketch, None), False
        )
        runs["datasketch, stock settings (threshold 0.8, 128 permutations)"] = peer(
            partial(Datasketch, 0.8), False
        )
    print("| articles | | precision | recall | largest group | CPU s | times ours |")
    print("|---|---|---|---|---|---|---|")
    for count in options.counts:
        texts, stories = made(count, options.seed, not options.no_originals)
        base = 0.0
        for name, run in runs.items():
            roots, seconds = measured(run, texts)
            base = base or seconds
            precision, recall, largest = pair_scores(roots, stories)
            print(
                f"| {count} | {name} | {precision:.4f} | {recall:.4f} | {largest} | {seconds:.1f} | {seconds / base:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
