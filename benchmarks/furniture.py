"""
Furniture in polnear-dev: what is marked in articles drawn with a seed, to be read by a person.

    python benchmarks/furniture.py ../shared/benchmarks/polnear-dev.jsonl.gz --seed 42 --articles 200

Prints every line that is marked, with the end of the line before it and the beginning of the line after
it, then 60 short lines that are not marked. What a reader found is in `furniture.md`.
"""

import argparse
import gzip
import json
import random
from collections import Counter
from pathlib import Path

from onrecord.corpus.furniture.furniture import lines, mark

SHORT = 12  # words: longer lines are prose nearly always


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--articles", type=int, default=200)
    options = parser.parse_args()
    with gzip.open(options.corpus, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    counts: Counter[str] = Counter()
    unmarked = []
    for text in random.Random(options.seed).sample(texts, options.articles):
        rows = lines(text)
        marks = mark(text)
        for index, row in enumerate(rows):
            before = text[rows[index - 1].start : rows[index - 1].end][-40:] if index else ""
            after = text[rows[index + 1].start :][:40] if index + 1 < len(rows) else ""
            place = f"{index + 1} of {len(rows)}"
            own = [m for m in marks if row.start <= m["start"] and m["end"] <= row.end]
            for m in own:
                counts[m["kind"]] += 1
                said = text[m["start"] : m["end"]]
                print(f"{place} [{m['kind']}] {before!r} | {said} | {text[m['end'] :][:40]!r}")
            if not own and row.words <= SHORT:
                unmarked.append(f"{place} {before!r} | {text[row.start : row.end]} | {after!r}")
    print(
        f"\n{sum(counts.values())} marked: {dict(counts)}; of {len(unmarked)} short lines unmarked 60:\n"
    )
    print("\n".join(random.Random(options.seed).sample(unmarked, min(60, len(unmarked)))))


if __name__ == "__main__":
    main()
