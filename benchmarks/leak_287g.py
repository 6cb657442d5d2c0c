"""
What splitting two copies of one story apart would have done to the scores of the campaign 287g.

    .venv/bin/python benchmarks/leak_287g.py ../shared/articles

The articles 000 and 002 are one story in two formattings. Each way of leaving out is built, trained and
scored through the command line: one group of copies left out at a time, as it should be, and one article
left out at a time, as if nobody had looked. Then the audit's own words on the second way.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.parquet as pq

MODELS = ("majority", "tfidf_logreg", "tfidf_svm")


def onrecord(*words: str) -> str:
    command = [sys.executable, "-m", "onrecord", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def majority_rows(folder: Path) -> list[dict]:
    """Return the prose sentences with the stance that most of the three annotators gave."""
    sentences = {r["sentence_id"]: r for r in pq.read_table(folder / "sentences.parquet").to_pylist()}  # fmt: skip
    votes = defaultdict(list)
    for line in Path("data/287g/labels.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        votes[row["sentence_id"]].append(row["labels"]["stance"])
    return [
        {"id": sentence, "text": sentences[sentence]["text"], "target": "287(g)",
         "label": Counter(found).most_common(1)[0][0], "article": sentences[sentence]["article_id"],
         "story": sentences[sentence]["group_id"]}
        for sentence, found in votes.items() if sentences[sentence]["furniture"] is None
    ]  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for words in (["ingest", f"articles={sys.argv[1]}"], ["segment"]):
            onrecord(*words, "campaign=287g", f"workspace={folder}")
        rows = majority_rows(folder)
        for unit in ("story", "article"):
            table = folder / f"{unit}.jsonl"
            table.write_text("\n".join(json.dumps(r | {"group": r[unit]}) for r in rows), encoding="utf-8")  # fmt: skip
            workspace = f"workspace={folder / unit}"
            onrecord("build", "source=rows", f"rows={table}", "split=kfold", "on_leak=report", workspace)  # fmt: skip
            audit = json.loads((folder / unit / "audit.json").read_text(encoding="utf-8"))
            print(f"one {unit} left out at a time: {audit['summary']}")
            for model in MODELS:
                run = folder / f"{unit}-{model}"
                onrecord("train", f"model={model}", f"run={run}", "allow_small=true", workspace)
                cv = json.loads((run / "cv.json").read_text(encoding="utf-8"))
                print(f"  {model:<13} macro-F1 {cv['macro_f1']:.3f}, accuracy {cv['accuracy']:.3f} "
                      f"({cv['n']} rows, {len(cv['folds'])} folds)", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
