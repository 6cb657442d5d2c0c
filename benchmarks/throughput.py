"""
Articles a second, and peak memory, of the corpus stages as the corpus grows.

    python benchmarks/throughput.py ../shared/benchmarks/polnear-dev.jsonl.gz 1000 10000 100000

Articles of some 4 KB are put together from the paragraphs of real ones, drawn with a fixed seed, and written
to one .jsonl file in a temporary folder. Each verb runs as a user runs it, as a process of its own; its CPU
time is that of the process and its children, start included, and its memory the peak resident set.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VERBS = ("ingest", "segment", "attribute")


def write_articles(corpus: str, count: int, path: Path, seed: int) -> int:
    """Write ``count`` articles and return their size in bytes of UTF-8."""
    rng = random.Random(seed)
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    paragraphs = [p for text in texts for p in text.split("\n") if len(p) > 80]
    total = 0
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            parts: list[str] = []
            while sum(map(len, parts)) < 4000:
                parts.append(rng.choice(paragraphs))
            text = "\n\n".join(parts)
            total += len(text.encode())
            file.write(json.dumps({"id": f"a{number}", "text": text}) + "\n")
    return total


def run(verb: str, *words: str) -> tuple[float, float, float]:
    """Run a verb; return wall seconds, CPU seconds and peak memory in MB (of the largest process)."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "onrecord.cli", verb, *words], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{verb} failed")
    wall = time.perf_counter() - begun
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--verbs", nargs="+", default=VERBS)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    print("| articles | verb | articles/s a core | MB/s a core | CPU s | wall s | peak RSS, MB |")
    print("|---|---|---|---|---|---|---|")
    for count in options.counts:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "in.jsonl"
            size = write_articles(options.corpus, count, source, seed=7) / 1e6
            sums = [0.0, 0.0, 0.0]
            for verb in options.verbs:
                words = [f"workspace={folder}/ws"]
                words += [f"articles={source}"] if verb == "ingest" else []
                wall, cpu, memory = run(verb, *words)
                sums = [sums[0] + wall, sums[1] + cpu, max(sums[2], memory)]
                show(count, verb, size, (wall, cpu, memory))
            show(count, "all", size, (sums[0], sums[1], sums[2]))


def show(count: int, verb: str, size: float, used: tuple[float, float, float]) -> None:
    wall, cpu, memory = used
    print(
        f"| {count} | {verb} | {count / cpu:.0f} | {size / cpu:.1f} | {cpu:.1f} | {wall:.1f} | {memory:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
