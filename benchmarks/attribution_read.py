"""What a perfect reader would score in direct speech, and how often we are right: `python benchmarks/attribution_read.py`.

polnear-dev's speakers are partly silver. One reader read rows of the train half, five sentences to either side,
the two answers side by side in an order drawn by chance, and said who speaks by the annotators' span and by our
guidelines. `attribution_read.csv` holds what came of it, without a word of the text: one row a sentence read,

- `row`: sha256 of "document's id:sentence's number", 16 digits; `drawn_from`: its stratum, by whether the gold and
  our answer agreed when it was drawn (seed 20260105 and the stratum's name); `of`: how many rows that stratum had;
- `reading`: 2 for the rows that were read after the rules had been mended by those of reading 1;
- `gold`: whether its speaker is right, another `form` of the right one, or wrong (unclear where the text leaves it so);
- `speaker`, `forms`: sha256 of "row:surname" of the right speaker, and of those forms, 8 digits each.

A row is right when the surname is (`surname` of attribution.py): the score of the benchmark.
"""

import csv
import hashlib
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from attribution import documents, spans, surname

from onrecord.corpus.attribution.article import attribute_article

CLASSES = ("named", "coref_person", "nominal", "coref_other")
DRAWS = 10_000


def row_id(doc_id: str, number: int) -> str:
    """The id that stands for a sentence of a document."""
    return hashlib.sha256(f"{doc_id}:{number}".encode()).hexdigest()[:16]


def sealed(row: str, name: str | None) -> str:
    """What stands for a name's surname in one row."""
    return hashlib.sha256(f"{row}:{surname(name)}".encode()).hexdigest()[:8]


def verdict(row: dict[str, str], name: str | None) -> str:
    """Whether a name is the right speaker of a row, another form of the right one, or wrong."""
    if row["gold"] == "unclear":
        return "unclear"
    seal = sealed(row["row"], name)
    if seal in row["speaker"].split():
        return "right"
    return "form" if seal in row["forms"].split() else "wrong"


def is_scored(sentence) -> bool:
    """Whether the benchmark scores a sentence as direct speech of somebody."""
    left_out = sentence.get("resolved") == "pronoun_unresolved" or "attitude_holder" in sentence
    return bool(sentence["speaker"]) and sentence["kind"] == "direct" and not left_out


def share(strata, wanted, seed: int = 0) -> str:
    """The share of rows with a verdict, each stratum weighted by its size, with its 95 % interval.

    The interval draws the documents of each stratum with replacement: it is of which rows were read.
    """
    total = sum(size for size, _ in strata)
    draws, value = np.zeros(DRAWS), 0.0
    rng = np.random.default_rng(seed)
    for size, rows in strata:
        by_document = defaultdict(lambda: [0, 0])
        for document, said in rows:
            if said != "unclear":
                by_document[document][0] += said in wanted
                by_document[document][1] += 1
        counts = np.array(list(by_document.values()))
        times = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), DRAWS)
        right, read = (times @ counts).T
        draws += size / total * right / read
        value += size / total * counts[:, 0].sum() / counts[:, 1].sum()
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    """Print, for each class and for all of direct speech, what a perfect reader scores and how often we are right."""
    with (Path(__file__).with_suffix(".csv")).open(encoding="utf-8", newline="") as file:
        read = {row["row"]: row for row in csv.DictReader(file)}
    sizes = {row["drawn_from"]: int(row["of"]) for row in read.values()}
    said = {"gold": defaultdict(list), "ours": defaultdict(list)}
    both = defaultdict(Counter)
    of_class = {"train": Counter(), "test": Counter()}
    for part, counts in of_class.items():
        for doc in documents(part):
            scored = [(n, s) for n, s in enumerate(doc["sentences"]) if is_scored(s)]
            counts.update(s["resolved"] for _, s in scored)
            known = [(row_id(doc["doc_id"], n), n) for n, _ in scored]
            if part == "test" or not any(row in read for row, _ in known):
                continue
            rows = attribute_article(doc["text"], spans(doc))
            for row, n in known:
                if row in read:
                    gold = verdict(read[row], doc["sentences"][n]["speaker"])
                    ours = verdict(read[row], rows[n]["speaker_name"])
                    stratum = read[row]["drawn_from"]
                    said["gold"][stratum].append((doc["doc_id"], gold))
                    said["ours"][stratum].append((doc["doc_id"], ours))
                    both[stratum][gold, ours] += 1
    print("| drawn from | of | read | both right | gold alone | we alone | neither | unclear |")
    for stratum, size in sizes.items():
        cells = Counter()
        for (gold, ours), n in both[stratum].items():
            cells["unclear" if gold == "unclear" else (gold == "right", ours == "right")] += n
        order = [(True, True), (True, False), (False, True), (False, False), "unclear"]
        print(f"| {stratum} | {size} | {cells.total()} |", *(f"{cells[c]} |" for c in order))
    shares = {}
    for name in (*CLASSES, "all"):
        within = [s for s in sizes if name in {s.split()[0], "all"}]
        for who, by_stratum in said.items():
            strata = [(sizes[s], by_stratum[s]) for s in within]
            shares[name, who] = share(strata, {"right"})
            print(f"{name:13} {who}: right {shares[name, who]}", end="")
            print(f", in some form {share(strata, {'right', 'form'})}")
    total = of_class["test"].total()
    there = sum(n * float(shares[c, "gold"].split()[0]) for c, n in of_class["test"].items())
    print(f"the gold's share with the classes in the test half's proportions: {there / total:.3f}")


if __name__ == "__main__":
    main()
