"""Annotations back from a real Label Studio: checked, complete, appended, and twice the same bytes."""

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onrecord.campaign import annotation_log, shipped_labels
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.core.errors import BadInput
from onrecord.core.files import locked, read_jsonl, write_jsonl
from onrecord.scheme.scheme import load_scheme

SCHEME = load_scheme()
LABELS = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}


def test_collected_label_for_label_and_twice_the_same_bytes(launched):
    first, second, third, *_ = launched.launched
    labels = {
        "speaker": "expert",
        "speaker_name": "Zoë 🚍 O’Neil",
        "claim_type": "effect",
        "stance": "favor",
    }
    launched.annotate(first, labels, flags=["needs_context"], comment="a <b>word</b>\nand another")
    launched.own[second["annotator"]].send(
        "POST",
        f"/api/tasks/{second['ls_task_id']}/annotations/",
        {"result": [], "was_cancelled": True},
    )
    launched.own[third["annotator"]].send(
        "POST", f"/api/tasks/{third['ls_task_id']}/annotations/", {"result": []}
    )
    said = launched.collect()
    assert "2 submitted, 1 of them empty, 1 skipped" in said
    rows = launched.rows()
    one = rows[first["task_id"]]
    assert (one["labels"], one["flags"], one["comment"]) == (
        labels,
        ["needs_context"],
        "a <b>word</b>\nand another",
    )
    assert (one["seconds"], one["purpose"], one["origin"]) == (4.25, "main", "simulated")
    assert one["text_sha256"] == first["text_sha256"]
    assert rows[second["task_id"]]["status"] == "skipped"
    assert (rows[third["task_id"]]["status"], rows[third["task_id"]]["labels"]) == ("submitted", {})
    assert rows[third["task_id"]]["seconds"] is None
    before = launched.path.read_bytes()
    for words in ((), ("sweep=true",)):
        launched.collect(*words)
        assert launched.path.read_bytes() == before
    (launched.workspace / "labelstudio" / "collected.json").unlink()  # what it knew of last time
    launched.collect()
    assert launched.path.read_bytes() == before


def test_changes_supersede_deletions_are_marked_and_nothing_is_lost(launched):
    a, b, c, d, *_ = launched.launched
    ids = {row["task_id"]: launched.annotate(row) for row in (a, b, c, d)}
    launched.collect()
    first = launched.path.read_bytes()
    own = launched.own[a["annotator"]]
    changed = {"result": to_result({**LABELS, "stance": "against"}, SCHEME), "lead_time": 9}
    own.send("PATCH", f"/api/annotations/{ids[a['task_id']]}/", changed)
    own.send("DELETE", f"/api/annotations/{ids[b['task_id']]}/")
    launched.owner.send("DELETE", f"/api/tasks/{c['ls_task_id']}/")  # a whole task, by anybody
    again = launched.annotate(d, {**LABELS, "stance": "neutral"})  # a second annotation of one task
    said = launched.collect()
    assert "2 collected annotations are not on the server any more and count all the same" in said
    assert launched.path.read_bytes().startswith(first)
    rows = launched.rows()
    assert rows[a["task_id"]]["labels"]["stance"] == "against"
    assert rows[a["task_id"]]["seconds"] == 9
    assert launched.votes()[c["task_id"]] == launched.votes()[b["task_id"]] == LABELS
    assert launched.votes()[d["task_id"]]["stance"] == "neutral"  # the newer of two
    own.send("DELETE", f"/api/annotations/{again}/")
    launched.annotate(b, {**LABELS, "claim_type": "rule"})  # annotated again after the deletion
    said = launched.collect()
    assert "2 collected annotations are not on the server any more and count all the same" in said
    assert launched.votes()[b["task_id"]]["claim_type"] == "rule"
    assert "1 deleted" not in said
    said = launched.run("launch", *launched.words).stdout  # brings the deleted task back, answered
    assert "1 collected answers were put back" in said
    assert "1 collected annotations are not on the server" in launched.collect("sweep=true")
    assert "2 deleted" in launched.collect("deletions=accept")
    assert launched.votes()[d["task_id"]] == LABELS  # the first counts again
    assert launched.votes()[c["task_id"]] == LABELS
    assert launched.path.read_bytes().startswith(first)
    before = launched.path.read_bytes()
    launched.collect("sweep=true")
    assert launched.path.read_bytes() == before


def test_what_breaks_a_check_is_kept_but_does_not_count(launched):
    ours, theirs, altered, *_ = launched.launched
    other = next(a for a in launched.own if a != theirs["annotator"])
    launched.annotate(ours)
    launched.annotate(theirs, who=other)
    launched.annotate(altered)
    task = launched.owner.get(f"/api/tasks/{altered['ls_task_id']}/")
    data = {**task["data"], "sentence": "another text"}
    launched.owner.send("PATCH", f"/api/tasks/{altered['ls_task_id']}/", {"data": data})
    path = f"/api/projects/{ours['project_id']}/import?return_task_ids=true"
    stranger = launched.owner.send("POST", path, [{"data": {**task["data"], "onrecord_id": "x"}}])
    path = f"/api/tasks/{stranger['task_ids'][0]}/annotations/"
    launched.owner.send("POST", path, {"result": to_result(LABELS, SCHEME)})
    said = launched.collect(status=1)
    assert "annotations: 1 submitted" in said
    assert "1 annotated tasks on the server are not of this campaign" in said
    assert set(launched.votes()) == {ours["task_id"]}
    rows = launched.quarantine()
    assert f"completed by {other}, not by" in rows[theirs["task_id"]]["problem"]
    assert "altered on the server" in rows[altered["task_id"]]["problem"]
    watched_until_interrupted(launched, f" of {theirs['annotator']}: completed by {other}")


def watched_until_interrupted(launched, said):
    """``status watch=1`` looks again and again, says each time what is wrong, and ends by Ctrl+C."""
    command = [sys.executable, "-m", "onrecord", "status", *launched.words, "watch=1"]
    page = launched.workspace / "status.html"
    tasks = sum(row["annotator"] == "annotator-1" for row in launched.launched)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            for done in (1, 2):
                shown = "".join(iter(process.stdout.readline, f"→ {page}\n"))
                assert said in shown
                assert f" {done}/{tasks} " in shown
                assert said in page.read_text()
                if done == 1:
                    launched.annotate(launched.launched[5])
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_a_label_that_the_scheme_lacks_is_quarantined_and_the_rest_collected(launched):
    first, second, third, *_ = launched.launched
    launched.annotate(first)
    launched.collect()
    launched.annotate(third)
    bad = to_result(LABELS, SCHEME)
    bad[1]["value"]["choices"] = ["rumour"]
    path = f"/api/tasks/{second['ls_task_id']}/annotations/"
    wrong = launched.own[second["annotator"]].send("POST", path, {"result": bad})["id"]
    done = launched.run("collect", *launched.words)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "'rumour' is not in the scheme" in done.stdout
    assert f"task={second['ls_task_id']}" in done.stdout
    assert launched.quarantine()[second["task_id"]]["result"] == bad
    assert set(launched.votes()) == {first["task_id"], third["task_id"]}
    assert launched.run("status", *launched.words).returncode == 0
    own = launched.own[second["annotator"]]
    own.send("PATCH", f"/api/annotations/{wrong}/", {"result": to_result(LABELS, SCHEME)})
    launched.collect()  # corrected: exit 0
    assert launched.votes()[second["task_id"]] == LABELS
    assert launched.quarantine() == {}


def waiting():
    """Return the kernel's lines on locks that somebody waits for."""
    return "".join(line for line in Path("/proc/locks").open() if "->" in line)


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_collects_at_once_and_a_torn_last_line_double_and_lose_nothing(launched):
    for row in launched.launched[:6]:
        launched.annotate(row)
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: launched.run_process("collect", *launched.words), range(2)))
    assert [run.returncode for run in done] == [0, 0]
    whole = launched.path.read_bytes()
    assert len(whole.splitlines()) == len(launched.rows()) == 6
    launched.path.write_bytes(whole[:-40])
    assert "it was cut off and collected again" in launched.collect()
    assert launched.path.read_bytes() == whole
    lines = whole.splitlines(keepends=True)
    other = json.loads(lines[0]) | {"annotation_id": "of the other collect"}
    other.pop("source_id")
    with ThreadPoolExecutor() as pool:
        lock = launched.workspace / "labelstudio" / "collect.lock"
        with locked(lock):  # as the other collect holds it …
            launched.path.unlink()
            done = pool.submit(launched.collect)
            until(lambda: f":{lock.stat().st_ino} " in waiting())
            now = whole + json.dumps(other).encode() + b"\n"
            launched.path.write_bytes(now)  # … and writes what it has
        done.result()
    assert launched.path.read_bytes() == now
    launched.path.write_bytes(b"".join([*lines[:2], lines[2][:50] + b"\n", *lines[3:]]))
    done = launched.run("collect", *launched.words)
    assert done.returncode == 2
    assert "line 3" in done.stderr


def test_a_changed_article_leaves_gold_until_it_is_annotated_again(launched):
    first, second = [r for r in launched.launched if r["annotator"] == "annotator-1"][:2]
    twins = [r for r in launched.launched if r["sentence_id"] == first["sentence_id"]]
    for row in [*twins, second]:
        launched.annotate(row)

    def onwards():
        """Import the articles as they are now and run everything up to gold; return what collect said."""
        folder = launched.workspace / "articles"
        for step in (
            ["ingest", f"articles={folder}", "accept_changes=true"],
            ["segment"],
            ["attribute"],
            ["launch"],
        ):
            words = launched.words if step[0] == "launch" else launched.words[:-1]
            assert launched.run(*step, *words).returncode == 0
        said = launched.collect()
        done = launched.run("adjudicate", *launched.words[:-1])
        assert done.returncode == 0, done.stderr
        files = (
            "articles.parquet",
            "sentences.parquet",
            "launched.jsonl",
            "annotations.jsonl",
            "gold.jsonl",
        )
        return said, [(launched.workspace / name).read_bytes() for name in files]

    def gold():
        return {
            r["sentence_id"]: r["labels"] for r in read_jsonl(launched.workspace / "gold.jsonl")
        }

    _, before = onwards()
    assert onwards()[1] == before  # an identical import is nothing
    assert set(gold()) == {first["sentence_id"], second["sentence_id"]}

    article = first["sentence_id"].partition(":")[0]
    path = next(p for p in (launched.workspace / "articles").iterdir() if p.stem == article)
    words = path.read_bytes().decode().split(" ")
    path.write_bytes(
        " ".join([words[0][::-1], *words[1:]]).encode()
    )  # a word of the first sentence
    said, _ = onwards()
    assert "2 annotations are of a text that has changed" in said
    assert all(row["task_id"] in said for row in twins)
    assert set(gold()) == {second["sentence_id"]}

    anew = {r["task_id"]: r for r in read_jsonl(launched.workspace / "launched.jsonl")}
    for row in twins:
        assert anew[row["task_id"]]["ls_task_id"] != row["ls_task_id"]
        launched.annotate(anew[row["task_id"]], {**LABELS, "claim_type": "rule"})
    said, _ = onwards()
    assert "has changed" not in said
    assert gold()[first["sentence_id"]]["claim_type"] == "rule"
    rows = launched.rows()
    assert all(rows[row["task_id"]]["labels"] == LABELS for row in twins)  # still to be read


def test_another_server_than_the_launched_one_is_refused(launched):
    rows = read_jsonl(launched.workspace / "launched.jsonl")
    moved = [{**row, "server": "http://elsewhere:8080"} for row in rows]
    write_jsonl(launched.workspace / "launched.jsonl", moved)
    done = launched.run("collect", *launched.words)
    assert done.returncode == 2
    assert "are on http://elsewhere:8080" in done.stderr


def test_the_name_is_found_verbatim_or_not_at_all():
    text = "Leeson spoke. Then Dr Ana Lee spoke."
    assert annotation_log.speaker_span("Ana Lee", text) == {"start": 22, "end": 29}
    assert annotation_log.speaker_span("Lee", text) == {"start": 26, "end": 29}
    assert annotation_log.speaker_span("Ana Leigh", text) is None
    assert annotation_log.speaker_span(None, text) is None


def test_shipped_labels_of_another_text_are_refused():
    task = {
        "annotator": "annotator-1",
        "sentence_id": "a:0-3",
        "purpose": "main",
        "state": "active",
        "text_sha256": "x",
        "ls_task_id": 1,
    }
    row = {
        "annotator": "annotator-1",
        "sentence_id": "a:0-3",
        "labels": LABELS,
        "speaker_span": None,
        "flags": [],
        "text_sha256": "y",
    }
    with pytest.raises(BadInput, match="another text"):
        shipped_labels.matched([row], [task], {"a": "abc"}, SCHEME)
    assert shipped_labels.matched([{**row, "annotator": "annotator-9"}], [task], {}, SCHEME) == {}


def test_a_whole_line_is_never_rewritten(tmp_path):
    path = tmp_path / "annotations.jsonl"
    line = json.dumps({"odd": "spacing"}).replace(":", " :  ").encode() + b"\n"
    annotation_log.append_rows(path, line, [{"a": 1}])
    assert path.read_bytes() == line + b'{"a": 1}\n'
