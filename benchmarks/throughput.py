"""
Articles a second and peak memory of the corpus stages as the corpus grows; and of a run after one change.

    python benchmarks/throughput.py ../shared/benchmarks/polnear-dev.jsonl.gz 1000 10000 100000

Articles of some 4 KB are put together from the paragraphs of real ones, drawn with a fixed seed, and written
to one .jsonl file in a temporary folder. Each verb runs as a user runs it, as a process of its own; its CPU
time is that of the process, its memory the peak resident set. `start` is what a verb takes before it begins:
Python, the libraries and Hydra. The grouping of copies is part of `ingest` and is given as a stage of its own,
`dedupe`. `--again` then changes one article in the middle and runs the verbs once more in the same workspace.
"""

import argparse
import gzip
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onrecord.cli import app
from onrecord.cli.commands import COMMANDS
from onrecord.corpus import dedupe

VERBS = ("ingest", "segment", "attribute")
HEAD = "| articles | stage | articles/s a core | MB/s a core | CPU s | of which start | wall s | peak RSS, MB |"


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


def change_one(path: Path) -> None:
    """Change the text of the article in the middle of a .jsonl file."""
    with path.open("rb") as file:
        count = sum(1 for _ in file)
    changed = path.with_suffix(".changed")
    with path.open("rb") as file, changed.open("wb") as out:
        for number, line in enumerate(file):  # a child's peak is at least what we hold
            if number == count // 2:
                row = json.loads(line)
                row["text"] += "\n\nA paragraph more, said Mayor Ann Lee."
                out.write(json.dumps(row).encode() + b"\n")
            else:
                out.write(line)
    changed.replace(path)


def stage(verb: str, words: list[str]) -> None:
    """Run a verb in this process; write its CPU seconds at the start, in dedupe and in all to descriptor 3."""
    module = importlib.import_module(COMMANDS[verb].module)
    spent = {"start": 0.0, "dedupe": 0.0}

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            begun = time.process_time()
            try:
                return function(*args, **named)
            finally:
                spent["dedupe"] += time.process_time() - begun

        return run

    dedupe.write_sketches, dedupe.groups = timed(dedupe.write_sketches), timed(dedupe.groups)
    main = module.main

    def started(cfg: Any) -> None:
        spent["start"] = time.process_time()
        main(cfg)

    module.main = started
    status = app.main([verb, *words])
    with os.fdopen(3, "w") as out:
        json.dump(spent, out)
    raise SystemExit(status)


def run(verb: str, *words: str) -> dict[str, float]:
    """Run a verb in a process of its own; return seconds and the peak memory in MB (of the largest process)."""
    begun = time.perf_counter()
    reading, writing = os.pipe()
    command = [sys.executable, __file__, "--stage", verb, *words]
    process = subprocess.Popen(
        ["sh", "-c", f'exec "$@" 3>&{writing}', "sh", *command],
        stdout=subprocess.DEVNULL, pass_fds=[writing],
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading) as told:
        spent = json.loads(told.read() or "{}")
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{verb} failed")
    cpu = used.ru_utime + used.ru_stime
    wall = time.perf_counter() - begun
    return {**spent, "cpu": cpu, "wall": wall, "memory": used.ru_maxrss / 1024}


def main() -> None:
    if sys.argv[1:2] == ["--stage"]:
        stage(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    print(HEAD)
    print("|---" * 8 + "|")
    for count in options.counts:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "in.jsonl"
            size = write_articles(options.corpus, count, source, seed=7) / 1e6
            first = all_stages(count, size, source, options.workers, str(count))
            if options.again:
                change_one(source)
                again = all_stages(count, size, source, options.workers, "one changed")
                print(f"\nAfter one change: {again / first:.3f} of the whole run's CPU time\n")


def all_stages(count: int, size: float, source: Path, workers: int, name: str) -> float:
    """Run the verbs one after another, show what each took, and return the CPU seconds of all."""
    rows: dict[str, dict[str, float]] = {}
    for verb in VERBS:
        words = [f"workspace={source.parent}/ws", f"workers={workers}"]
        more = [f"articles={source}", "accept_changes=true"] if verb == "ingest" else []
        rows[verb] = run(verb, *words, *more)
        if verb == "ingest":
            part = rows[verb]["dedupe"]
            rows["dedupe"] = {**rows[verb], "cpu": part, "start": 0.0}
            rows[verb]["cpu"] -= part
    keys = ("cpu", "start", "wall")
    rows["all"] = {key: sum(rows[verb][key] for verb in VERBS) for key in keys}
    rows["all"]["cpu"] += rows["dedupe"]["cpu"]
    rows["all"]["memory"] = max(row["memory"] for row in rows.values() if "memory" in row)
    steady = rows["all"] | {"cpu": rows["all"]["cpu"] - rows["all"]["start"], "start": 0.0}
    for stage_name, used in {**rows, "all but start": steady}.items():
        cpu = max(used["cpu"], 1e-9)
        print(
            f"| {name} | {stage_name} | {count / cpu:.0f} | {size / cpu:.1f} | {used['cpu']:.1f} "
            f"| {used['start']:.1f} | {used['wall']:.1f} | {used['memory']:.0f} |",
            flush=True,
        )
    return rows["all"]["cpu"]


if __name__ == "__main__":
    main()
