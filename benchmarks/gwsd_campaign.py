"""People's labels through the whole system: 8 votes on each of 1,850 news sentences, as 8 seats of a campaign.

python benchmarks/gwsd_campaign.py GWSD.jsonl.gz FOLDER [SENTENCES]

The votes of gwsd-train (one question, three labels) are entered through Label Studio's API by eight
accounts, collected and compared vote for vote; then agree, adjudicate, build, train and evaluate run as
they do for any campaign, with a scheme of this campaign's own. All of it is kept in FOLDER (outside a clone:
it holds the texts), so that a run that was broken off goes on where it stopped: what stands is not entered again.
"""

import gzip
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from onrecord.campaign.labelstudio import server
from onrecord.core.files import read_jsonl, write_jsonl, write_text
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS, sentence_id, text_sha256
from onrecord.core.tables import write_parquet

SEATS = 8
SCHEME = """version: 1
questions:
  stance:
    ask: Where does the sentence stand toward the target?
    target: true
    labels:
      favor: {hotkey: a, hint: agrees}
      against: {hotkey: s, hint: disagrees}
      neutral: {hotkey: d, hint: neither}
"""
GUIDELINES = """# Annotation guidelines, version 1.0.0

<!-- target -->
<!-- end -->

<!-- scheme: stance -->
<!-- end -->
"""
CAMPAIGN = """name: gwsd
title: Global warming
target:
  id: global-warming
  name: climate change/global warming is a serious concern
labels: data/gwsd/votes.jsonl
origin: people
"""


def prepare(folder: Path, rows: list[dict]) -> None:
    """Write the campaign: its scheme, its sentences (each an article) and the votes as shipped labels."""
    for name, text in (("scheme.yaml", SCHEME), ("guidelines.md", GUIDELINES)):
        write_text(folder / "annotation" / name, text)
    write_text(folder / "conf" / "campaign" / "gwsd.yaml", CAMPAIGN)
    workspace, articles, sentences, votes = folder / "data" / "gwsd", [], [], []
    for row in rows:
        text, sha256 = row["text"], text_sha256(row["text"])
        name = sentence_id(row["id"], 0, len(text))
        articles.append(
            {**dict.fromkeys(ARTICLES.names), "article_id": row["id"], "outlet": "gwsd", "text": text,
             "sha256": sha256, "group_id": row["id"], "furniture": [], "source_file": row["id"]}
        )  # fmt: skip
        sentences.append(
            {"sentence_id": name, "article_id": row["id"], "group_id": row["id"], "index": 0,
             "paragraph": 0, "start": 0, "end": len(text), "text": text, "furniture": None}
        )  # fmt: skip
        votes += [
            {"sentence_id": name, "annotator": f"annotator-{seat}", "labels": {"stance": vote},
             "speaker_span": None, "flags": [], "text_sha256": sha256, "origin": "people"}
            for seat, vote in enumerate(row["votes"], 1)
        ]  # fmt: skip
    speakers = [
        {**dict.fromkeys(SPEAKERS.names), "sentence_id": row["sentence_id"], "candidates": [],
         "attribution": "none", "confidence": 0.0}
        for row in sentences
    ]  # fmt: skip
    write_parquet(workspace / "articles.parquet", articles, ARTICLES)
    write_parquet(workspace / "sentences.parquet", sentences, SENTENCES)
    write_parquet(workspace / "speakers.parquet", speakers, SPEAKERS)
    write_jsonl(workspace / "votes.jsonl", votes)


def step(name: str, folder: Path, *words: str) -> None:
    """Run a verb in the folder, or ``enter``; print its time and what it says."""
    run = [sys.executable, "-m", "onrecord", name]
    if name == "enter":
        run = [sys.executable, "-c", "import sys\nfrom hydra import compose, initialize_config_dir\n"
               "from onrecord import ROOT\nfrom onrecord.cli.overrides import local_conf_first\nfrom onrecord.campaign.shipped_labels import main as enter\n"
               "local_conf_first()\n"
               "with initialize_config_dir(version_base='1.3', config_dir=str(ROOT / 'conf')):\n"
               "    enter(compose('launch', overrides=sys.argv[1:]))"]  # fmt: skip
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*run, "campaign=gwsd", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"\n## {name}: {time.monotonic() - began:.1f} s, of them {own:.1f} s of our own processor time",
        flush=True,
    )
    print(f"\n{done.stdout.strip()}", flush=True)
    if done.returncode:
        sys.exit(done.stderr)


def server_seconds(pid: int) -> float:
    """Return the processor time that the server has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if len(row["votes"]) == SEATS]
    folder = Path(sys.argv[2]).resolve()
    if len(sys.argv) > 3:
        rows = rows[: int(sys.argv[3])]
    print(
        f"{len(rows)} sentences, {SEATS} seats, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    workspace = folder / "data" / "gwsd"
    prepare(folder, rows)
    step("plan", folder, f"annotators={SEATS}", "suggestions=false")
    running = server.start(workspace, durable=False)
    try:
        for name in ("launch", "enter", "collect"):
            before = server_seconds(running.pid)
            step(name, folder)
            print(
                f"\n({server_seconds(running.pid) - before:.1f} s of the server's processor time)"
            )
    finally:
        server.stop(workspace)
    votes = answers_in(workspace / "votes.jsonl")
    found = answers_in(workspace / "annotations.jsonl")
    same = sum(found.get(key) == labels for key, labels in votes.items())
    print(f"\nvotes entered {len(votes)}, collected {len(found)}, the same {same}")
    if not same == len(votes) == len(found):
        sys.exit("not vote for vote")
    for name in ("agree", "adjudicate", "build"):
        step(name, folder)
    for model in ("majority", "tfidf_logreg"):
        step("train", folder, f"model={model}", f"run={folder / model}")
        step("evaluate", folder, f"run={folder / model}")


def answers_in(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return ``(sentence, annotator) → labels`` of the latest lines of a file of votes or annotations."""
    return {(r["sentence_id"], r["annotator"]): r["labels"] for r in read_jsonl(path)}


if __name__ == "__main__":
    main()
