"""Score attribution on polnear-dev, split by document: `python benchmarks/attribution.py [--part test]`."""

import argparse
import gzip
import hashlib
import json
import random
import re
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from onrecord.core.records import SentenceSpan
from onrecord.corpus.attribution.article import attribute_article
from onrecord.corpus.attribution.cue_classifier import weights

CORPUS = Path(__file__).parents[2] / "shared/benchmarks/polnear-dev.jsonl.gz"


def part_of(doc_id: str) -> str:
    """Half of the documents train, half test, by a seeded hash of the id."""
    return "test" if hashlib.sha256(f"20260105:{doc_id}".encode()).digest()[0] % 2 else "train"


def surname(name: str | None) -> str:
    """The last word of a name, in lower case, without possessive, full stop or suffix."""
    words = re.findall(r"[\w.&-]+(?:[’']\w+)*", (name or "").lower())
    words = [re.sub(r"[’']s$", "", w).strip(".") for w in words]
    words = [w for w in words if w and w not in {"jr", "sr", "ii", "iii"}]
    return words[-1] if words else ""


_WITHIN = re.compile(
    r"[,()–—-]|\b(?:and|who|whose|which|that|of|for|from|at|in|on|with|by|to|about|under|against)\b"
)


def head(phrase: str | None) -> str:
    """The noun that a description is built on: the last word before its first comma, preposition or relative.

    >>> head("an official at the agency, who was not authorized to speak"), head("Pew Research")
    ('official', 'research')
    """
    return next((surname(part) for part in _WITHIN.split(phrase or "") if surname(part)), "")


def is_doubtful(sentence) -> bool:
    """Whether the speaker that the coreference system gave is not whom the annotated source names.

    The annotators marked the source's words; of "a Lee spokesman", "Lee's brother, Hal Orr," or "the Lee
    campaign" the system made Lee. No part of such a source ends in the name that it gave.

    >>> is_doubtful({"source": "Lee spokesman Hal Orr", "speaker": "Ann Lee"})
    True
    >>> is_doubtful({"source": "Ann Lee, a driver,", "speaker": "Ann Lee"})
    False
    """
    parts = _WITHIN.split(sentence["source"])
    return surname(sentence["speaker"]) not in {surname(part) for part in parts}


def documents(part: str):
    if not CORPUS.exists():
        raise SystemExit(f"expected the public data at {CORPUS}, found nothing there")
    with gzip.open(CORPUS, "rt", encoding="utf-8") as file:
        for line in file:
            doc = json.loads(line)
            if part in {"all", part_of(doc["doc_id"])}:
                yield doc


def spans(doc) -> list[SentenceSpan]:
    text, paragraph, at, found = doc["text"], 0, 0, []
    for s in doc["sentences"]:
        paragraph += text.count("\n", at, s["start"])
        at = s["start"]
        found.append(SentenceSpan(s["start"], s["end"], paragraph, None))
    return found


def interval(standings, key) -> str:
    """The 95 % interval of a share by 10,000 bootstrap draws of documents, from the running counts after each."""
    counts = np.array([(right[key], total[key]) for right, total in standings])
    counts = np.diff(counts, axis=0, prepend=0)
    draws = np.random.default_rng(0).multinomial(
        len(counts), np.full(len(counts), 1 / len(counts)), 10_000
    )
    right, total = (draws @ counts).T
    low, high = np.quantile(right / total, [0.025, 0.975])
    return f"[{low:.3f}, {high:.3f}]"


def score(part: str, show: int, want: str):
    right, total = Counter(), Counter()
    standings = []
    tp, fp, fn = Counter(), Counter(), Counter()
    misses = defaultdict(list)
    size = spent = 0
    weights()  # read once, before the clock starts
    for doc in documents(part):
        rows_in = spans(doc)
        began = time.process_time()
        rows = attribute_article(doc["text"], rows_in)
        spent += time.process_time() - began
        size += len(doc["text"])
        for s, r in zip(doc["sentences"], rows, strict=True):
            if s.get("resolved") == "pronoun_unresolved" or "attitude_holder" in s:
                continue
            gold, got = s["speaker"], r["speaker_name"]
            text = doc["text"][s["start"] : s["end"]]
            if gold:
                for key in [
                    (s["kind"], s["resolved"]),
                    (s["kind"], "all"),
                    ("all", s["resolved"]),
                    ("all", "all"),
                ]:
                    total[key] += 1
                    right[key] += surname(gold) == surname(got)
                if s["resolved"] == "nominal":
                    total[s["kind"], "nominal by head"] += 1
                    right[s["kind"], "nominal by head"] += head(gold) == head(got)
                if s["resolved"] == "named" and not is_doubtful(s):
                    total[s["kind"], "named, sound"] += 1
                    right[s["kind"], "named, sound"] += surname(gold) == surname(got)
                if s["resolved"] != "coref_other":
                    total[s["kind"], "but coref_other"] += 1
                    right[s["kind"], "but coref_other"] += surname(gold) == surname(got)
                if surname(gold) != surname(got):
                    misses[s["kind"] + ("-miss" if not got else "-wrong")].append(
                        (
                            doc["doc_id"][:24],
                            s["resolved"],
                            gold,
                            s["cue"],
                            got,
                            r["cue"],
                            r["attribution"],
                            text,
                        )
                    )
                if got:
                    tp[s["kind"]] += 1
                else:
                    fn[s["kind"]] += 1
            elif got:
                fp[r["attribution"]] += 1
                misses[r["attribution"] + "-false"].append(
                    (doc["doc_id"][:24], got, r["cue"], text)
                )
        standings.append((right.copy(), total.copy()))
    print(f"{part}: {size / 4096 / spent:.0f} articles of 4 KB a second of processor time")
    for key in sorted(total):
        print(
            f"{key[0]:9}{key[1]:16}{right[key]:6}/{total[key]:<6}{right[key] / total[key]:.3f}",
            end="",
        )
        print(f" {interval(standings, key)}" if key[0] == "direct" else "")
    for kind in ("direct", "mixed", "indirect"):
        p = tp[kind] / max(1, tp[kind] + fp[kind])
        q = tp[kind] / max(1, tp[kind] + fn[kind])
        print(
            f"{kind}: attributed or author: P {p:.3f} R {q:.3f} F1 {2 * p * q / (p + q):.3f}  fp {fp[kind]} fn {fn[kind]}"
        )
    t, f, n = sum(tp.values()), sum(fp.values()), sum(fn.values())
    print(f"all: P {t / (t + f):.3f} R {t / (t + n):.3f} F1 {2 * t / (2 * t + f + n):.3f}")

    for kind, rows in misses.items():
        if want and kind == want:
            for row in random.Random(show).sample(rows, min(len(rows), show)):
                print(kind, row)
    table = Counter()
    for kind, rows in misses.items():
        for row in rows:
            if kind.endswith("-false"):
                _, got, cue, text = row
                what = (
                    "no cue of its own"
                    if cue is None
                    else "short of half the sentence, or not annotated"
                )
                table[
                    f"{kind[:-6]}: the author's, credited by {'inheritance' if cue is None else 'a cue'} ({what})"
                ] += 1
            else:
                _, resolved, gold, _, got, cue, _, _ = row
                found = (
                    "nobody"
                    if not got
                    else "a name"
                    if got[:1].isupper()
                    else "a phrase or pronoun"
                )
                how = "" if not got else ", no cue of its own" if cue is None else ", by a cue"
                table[f"{kind.split('-')[0]}, {resolved}: found {found}{how}"] += 1
    for what, n in table.most_common(20):
        print(f"| {n} | {what} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", default="train")
    parser.add_argument("--show", type=int, default=30)
    parser.add_argument("--want", default="")
    a = parser.parse_args()
    score(a.part, a.show, a.want)
