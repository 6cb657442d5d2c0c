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
