"""
Build and audit of generated campaigns from 10,000 to 1,000,000 sentences: time of each step, peak memory.

    .venv/bin/python benchmarks/build.py [SENTENCES ...]

Ten sentences an article, one article in ten a copy of another, one sentence in fifty a near-copy of one in
another group (planted: all must be found), words drawn by Zipf's law from 60,000. Each size runs in a
process of its own, through the command line, from the campaign's files to ``dataset/`` and ``audit.json``.
Beside it, in the same run and on the smallest size, the plain way: every sentence's word set compared with
every other's.
"""

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from onrecord.core.files import write_jsonl
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS, text_sha256
from onrecord.core.tables import write_parquet
from onrecord.core.text_normalization import normalized_words

LABELS = {
    "speaker": ["author", "politician", "agency", "advocate", "expert", "other"],
    "claim_type": ["policy", "effect", "judgement", "rule", "fact", "none"],
    "stance": ["favor", "against", "neutral", "none"],
}
PER_ARTICLE = 10


def sentences_of(n: int, seed: int) -> tuple[list[str], int]:
    """Return n sentences, one in fifty a near-copy of an earlier one, and how many are planted."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(8, 33, size=n)
    ranks = np.minimum(draw.zipf(1.15, size=int(lengths.sum())), 60_000)
    words = np.char.add("w", ranks.astype(str))
    texts, at, planted = [], 0, 0
    for i, length in enumerate(lengths):
        own = words[at : at + length]
        at += length
        if i > 1000 and draw.random() < 0.02:
            copied = texts[int(draw.integers(0, i - 500))].split()
            copied[int(draw.integers(0, len(copied)))] = f"x{i}"
            texts.append(" ".join(copied))
            planted += 1
        else:
            texts.append(" ".join(own))
    return texts, planted


def write_campaign(folder: Path, n: int) -> int:
    """Write a campaign of n sentences, as the verbs before `build` leave it; return the planted near-copies."""
    texts, planted = sentences_of(n, 1)
    draw = np.random.default_rng(2)
    articles, sentences, speakers, annotations, gold = [], [], [], [], []
    for a in range(n // PER_ARTICLE):
        name = f"a{a:06}"
        group = f"a{a - 1:06}" if a % 10 == 9 else name
        position, text = 0, "\n".join(texts[a * PER_ARTICLE : (a + 1) * PER_ARTICLE])
        for index in range(PER_ARTICLE):
            sentence = texts[a * PER_ARTICLE + index]
            start, end = position, position + len(sentence)
            position = end + 1
            key = f"{name}:{start}-{end}"
            labels = {q: names[int(draw.integers(len(names)))] for q, names in LABELS.items()} | {"speaker_name": None}  # fmt: skip
            sentences.append({"sentence_id": key, "article_id": name, "group_id": group, "index": index,
                              "paragraph": index, "start": start, "end": end, "text": sentence, "furniture": None})  # fmt: skip
            speakers.append({"sentence_id": key, "speaker": labels["speaker"], "speaker_name": None,
                             "attribution": "none", "cue": None, "candidates": [], "confidence": 0.5})  # fmt: skip
            gold.append({"sentence_id": key, "target_id": "free-buses", "labels": labels,
                         "soft": {q: {labels[q]: 1.0} for q in LABELS}, "n_annotators": 1,
                         "decided_by": dict.fromkeys(labels, "unanimous")})  # fmt: skip
            annotations.append({
                "annotation_id": key, "sentence_id": key, "annotator": f"annotator-{a % 20}", "round": "main",
                "target_id": "free-buses", "labels": labels, "speaker_span": None, "flags": [], "comment": "",
                "text_sha256": text_sha256(sentence), "seconds": 5.0, "created_at": "2026-01-01T00:00:00Z",
                "updated_at": "2026-01-01T00:00:00Z", "suggestion_shown": True, "guidelines_version": "1.0.0",
                "scheme_version": 1, "purpose": "main", "status": "submitted", "origin": "simulated",
            })  # fmt: skip
        articles.append({"article_id": name, "outlet": f"outlet-{a % 12}", "title": None, "byline": None,
                         "published": f"2026-{1 + a % 12:02}-{1 + a % 28:02}", "url": None, "text": text,
                         "sha256": text_sha256(text), "group_id": group, "copy_of": None if group == name else group,
                         "furniture": [], "source_file": name})  # fmt: skip
    write_parquet(folder / "articles.parquet", articles, ARTICLES)
    write_parquet(folder / "sentences.parquet", sentences, SENTENCES)
    write_parquet(folder / "speakers.parquet", speakers, SPEAKERS)
    write_jsonl(folder / "annotations.jsonl", annotations)
    write_jsonl(folder / "gold.jsonl", gold)
    return planted


def build(folder: Path) -> tuple[float, float, float]:
    """Return seconds on the clock and of the processor, and peak memory (GiB), of `onrecord build` in a process of its own."""
    before = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        command = [sys.executable, "-m", "onrecord", "build", f"workspace={folder}"]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        (folder / "used").write_text(
            f"{done.returncode} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 2**20}"
        )
        os._exit(0)
    os.waitpid(pid, 0)
    status, processor, peak = (folder / "used").read_text().split()
    if status != "0":
        raise SystemExit(f"build failed on {folder}")
    return time.perf_counter() - before, float(processor), float(peak)


def plain_way(folder: Path) -> tuple[float, int]:
    """Return the seconds of comparing every sentence with every other, and the pairs found."""
    texts = pq.read_table(folder / "sentences.parquet")["text"].to_pylist()
    before = time.process_time()
    sets = [set(normalized_words(text)) for text in texts]
    sets = [words for words in sets if len(words) >= 8]
    found = 0
    for one, other in itertools.combinations(sets, 2):
        common = len(one & other)
        found += common >= 0.75 * (len(one) + len(other) - common)
    return time.process_time() - before, found


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [10_000, 100_000, 1_000_000]
    first: float | None = None
    for n in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            planted = write_campaign(folder, n)
            seconds, processor, peak = build(folder)
            audit = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
            per = processor / n * 1e6
            first = first or per
            print(f"{n:>9,} sentences in {n // PER_ARTICLE:>7,} articles: {seconds:6.1f} s ({processor:.1f} s of processor), {peak:.2f} GiB, "
                  f"{per:.0f} µs per sentence ({per / first:.2f} of the smallest), {planted} near-copies planted, "
                  f"{len(audit['sentences'])} across splits dropped", flush=True)  # fmt: skip
            if n == sizes[0] and n <= 10_000:
                plain, pairs = plain_way(folder)
                print(f"          the plain way, {n:,} sentences: {plain:.1f} s of processor for {pairs} pairs in any split (near-same search alone)", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
