"""
Sentence boundaries inside paragraphs: ours beside four splitters, on places where they disagree.

    python benchmarks/segment.py ../shared/benchmarks/polnear-dev.jsonl.gz            # the table
    python benchmarks/segment.py ../shared/benchmarks/polnear-dev.jsonl.gz --show     # places to judge

A place is the offset of the first character after the white space that would part two sentences. It is
disputed when at least one splitter has a boundary there and at least one has none. The places of
`segment_judgements.csv` were drawn with a fixed seed and judged by reading; the file holds the first 16 hex
digits of each document id's SHA-256, and offsets. The rules were mended on the sample `development`; `test` was drawn and judged after.
"""

import argparse
import csv
import gzip
import hashlib
import importlib
import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from onrecord.corpus.splitter import LINE, make_splitter

HERE = Path(__file__).parent
JUDGED = HERE / "segment_judgements.csv"
Starts = Callable[[str], list[int]]  # where sentences begin in one line, after the first


def ours() -> Starts:
    config = yaml.safe_load((HERE.parent / "conf/splitter/english.yaml").read_text("utf-8"))
    split = make_splitter(config)
    return lambda line: [start for start, _ in split(line)][1:]


def pysbd() -> Starts:
    segmenter = importlib.import_module("pysbd").Segmenter(
        language="en", clean=False, char_span=True
    )
    return lambda line: [s.start for s in segmenter.segment(line)][1:]


def sentencex() -> Starts:
    module = importlib.import_module("sentencex")

    def starts(line: str) -> list[int]:
        found, at = [], 0
        for sentence in module.segment("en", line):
            at += len(sentence)
            found.append(at)
        return found[:-1]

    return starts


def spacy() -> Starts:
    nlp = importlib.import_module("spacy").blank("en")
    nlp.add_pipe("sentencizer")
    return lambda line: [s.start_char for s in nlp(line).sents][1:]


def nupunkt() -> Starts:
    spans = importlib.import_module("nupunkt").sent_spans
    return lambda line: [start for start, _ in spans(line)][1:]


SPLITTERS = {
    "onrecord": ours,
    "pysbd": pysbd,
    "sentencex": sentencex,
    "spacy": spacy,
    "nupunkt": nupunkt,
}


def after_space(line: str, at: int) -> int:
    """Return the first place from ``at`` on that is no white space."""
    while at < len(line) and line[at].isspace():
        at += 1
    return at


def places(text: str, starts: Starts) -> set[int]:
    found = set()
    for match in LINE.finditer(text):
        line = match.group()
        found |= {
            match.start() + place
            for at in starts(line)
            if 0 < (place := after_space(line, at)) < len(line.rstrip())
        }
    return found


def documents(path: str) -> Iterator[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def given(document: dict) -> set[int]:
    """Return the in-paragraph boundaries of the splitter that made the corpus."""
    text, rows = document["text"], document["sentences"]
    return {
        b["start"]
        for a, b in itertools.pairwise(rows)
        if LINE.fullmatch(text, a["start"], b["start"])
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--sample", type=int, default=300)
    options = parser.parse_args()
    docs = list(documents(options.corpus))
    for d in docs:
        d["doc"] = hashlib.sha256(d["doc_id"].encode()).hexdigest()[:16]
    found: dict[str, dict[str, set[int]]] = {d["doc"]: {"corpus": given(d)} for d in docs}
    size = sum(len(d["text"].encode()) for d in docs)
    speed = {}
    for name, load in SPLITTERS.items():
        try:
            starts = load()
        except ModuleNotFoundError:
            print(f"{name}: not installed, left out", file=sys.stderr)
            continue
        starts("Some load their model. Only then.")
        begun = time.process_time()
        for d in docs:
            found[d["doc"]][name] = places(d["text"], starts)
        speed[name] = size / 1e6 / (time.process_time() - begun)
    if options.show:
        show(docs, found, options)
        return
    with JUDGED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for sample in dict.fromkeys(r["sample"] for r in rows):
        judged = {
            (r["doc"], int(r["offset"])): r["boundary"] == "1"
            for r in rows
            if r["sample"] == sample
        }
        print(f"\n## {sample}\n")
        table(judged, found, speed)


def table(
    judged: dict[tuple[str, int], bool],
    found: dict[str, dict[str, set[int]]],
    speed: dict[str, float],
) -> None:
    print(f"{len(judged)} judged places, {sum(judged.values())} of them boundaries\n")
    print("| splitter | accuracy | precision | recall | F1 | MB/s a core | times ours |")
    print("|---|---|---|---|---|---|---|")
    for name in [*speed, "corpus"]:
        said = {key: key[1] in found[key[0]][name] for key in judged}
        hit = sum(said[k] and judged[k] for k in judged)
        right = sum(said[k] == judged[k] for k in judged) / len(judged)
        p, r = hit / max(1, sum(said.values())), hit / max(1, sum(judged.values()))
        rate = (
            f"{speed[name]:.1f} | {speed[name] / speed['onrecord']:.2f}"
            if name in speed
            else "– | –"
        )
        f1 = 2 * p * r / (p + r) if p + r else 0
        print(f"| {name} | {right:.1%} | {p:.1%} | {r:.1%} | {f1:.1%} | {rate} |")


def show(
    docs: list[dict], found: dict[str, dict[str, set[int]]], options: argparse.Namespace
) -> None:
    text = {d["doc"]: d["text"] for d in docs}
    disputed = sorted(
        (name, place)
        for name, said in found.items()
        for place in set.union(*said.values()) - set.intersection(*said.values())
    )
    print(f"{len(disputed)} disputed places", file=sys.stderr)
    for name, place in sorted(random.Random(options.seed).sample(disputed, options.sample)):
        whole = text[name]
        says = "".join(k[0] if place in v else "." for k, v in found[name].items())
        left, right = whole[max(0, place - 90) : place], whole[place : place + 60]
        print(f"{name}\t{place}\t{says}\t{left!r} ¦ {right!r}")


if __name__ == "__main__":
    main()
