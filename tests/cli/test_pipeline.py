"""Steps: each is run again as it was last run, and only where something changed."""

import json
import shutil

import pytest

from onrecord import ROOT
from onrecord.cli.app import main, overview


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Return a folder of two articles, made the current one's ``data/own``."""
    monkeypatch.chdir(tmp_path)
    for path in sorted((ROOT / "data/sample/articles").glob("*.txt"))[:2]:
        (tmp_path / "mine").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "mine")
    return tmp_path / "data/own"


def test_make_repeats_the_words_that_a_step_was_run_with(workspace, capsys):
    words = ["workspace=data/own"]
    assert main(["ingest", *words, "articles=mine", "accept_changes=true"]) == 0
    assert main(["segment", *words]) == 0
    assert main(["attribute", *words]) == 0
    assert main(["plan", *words, "annotators=[ada,ben]", "budget=12"]) == 0
    before = (workspace / "plan.jsonl").read_bytes()
    capsys.readouterr()

    assert main(["make", *words, "until=plan"]) == 0
    said = capsys.readouterr().out.split()
    assert said == ["ingest", "done", "segment", "done", "attribute", "done", "plan", "done"]
    (workspace / "plan.jsonl").unlink()
    assert main(["make", *words, "until=plan"]) == 0
    assert "plan        not yet: running annotators=[ada,ben] budget=12" in capsys.readouterr().out
    assert (workspace / "plan.jsonl").read_bytes() == before
    known = json.loads((workspace / ".steps.json").read_text())
    assert known["ingest"]["words"] == ["articles=mine"], "a yes is for one run"

    assert main(["make", *words, "until=plan", "seed=2"]) == 0
    assert "plan        stale: running annotators=[ada,ben] budget=12" in capsys.readouterr().out
    assert "next        onrecord launch campaign=sample workspace=data/own" in overview()


def test_stale_and_foreign_input_is_refused_with_the_command_to_run(workspace, tmp_path, capsys):
    table, where = tmp_path / "rows.jsonl", ["campaign=sample", "workspace=data/own"]
    rows = [
        {"id": str(i), "text": f"Sentence {i} of these.", "target": "t", "label": "ab"[i % 2]}
        for i in range(20)
    ]
    table.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    build = ["build", *where, "source=rows", f"rows={table}", "split=kfold"]
    train = ["train", *where, "model=majority", "allow_small=true"]
    assert main(build) == 0
    assert main([*train, "run=runs/one"]) == 0
    table.write_text("\n".join(map(json.dumps, rows[:7])), encoding="utf-8")
    for command in (train, ["publish", *where], ["curve", *where]):
        assert main(command) == 2
        complaint = capsys.readouterr().err
        assert f"run `onrecord build campaign=sample workspace=data/own source=rows rows={table} split=kfold`" in complaint  # fmt: skip
    assert main([*train, "run=runs/two", "stale=ok"]) == 0
    assert main([*train, "stale=maybe"]) == 2
    assert main(build) == 0
    assert main([*train, "run=runs/three"]) == 0
    assert main(["train", "campaign=287g", "workspace=data/own", "model=majority"]) == 2
    assert "of the campaign sample, not 287g" in capsys.readouterr().err
    (workspace / "dataset/README.md").write_text("edited", encoding="utf-8")
    assert main(train) == 2
    table.write_text(json.dumps(rows[0] | {"label": ""}), encoding="utf-8")
    assert main(build) == 2
    assert not (workspace / "dataset").exists(), "a failed build leaves nothing that looks whole"
