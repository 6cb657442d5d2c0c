"""A committed study is run again and comes out the same, or says what differs."""

import json

import pytest
import yaml

from onrecord.experiment.reproduce import differences

from .conftest import done, table, write_rows

STUDY = {
    "title": "A small study", "rows": "rows.jsonl", "build": ["split=kfold", "split.k=3"],
    "runs": {"majority": {"train": ["model=majority"]}},
}  # fmt: skip


@pytest.fixture
def study(tmp_path):
    write_rows(tmp_path / "rows.jsonl", table(groups=40))
    folder = tmp_path / "001-small"
    folder.mkdir()
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    return folder


def test_a_study_comes_out_as_committed_or_says_what_differs(study, cli):
    words = ("reproduce", "study=001-small", "data=.")
    done(cli(*words, "write=true", cwd=study.parent))
    assert {p.name for p in study.iterdir()} == {"study.yaml", "report-majority.json"}
    assert "1 reports come out as committed" in done(cli(*words, cwd=study.parent))
    report = json.loads((study / "report-majority.json").read_text())
    texts = [row["text"] for row in table(groups=40)]
    assert not any(text in json.dumps(report) for text in texts)
    report["accuracy"]["value"] += 0.01
    (study / "report-majority.json").write_text(json.dumps(report))
    failed = cli(*words, cwd=study.parent)
    assert failed.returncode == 1
    assert "report-majority.json: accuracy.value" in failed.stderr


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"rows": "gone.jsonl"}, "gone.jsonl is not there", id="no table"),
        pytest.param({"sha256": "0" * 64}, "expected SHA-256 0000", id="another table"),
        pytest.param({"modell": 1}, "expected the keys", id="unknown key"),
        pytest.param({"runs": {"m": {"train": ["model=majorty"]}}}, "did you mean 'majority'", id="a step fails"),
    ],
)  # fmt: skip
def test_a_study_that_cannot_be_run_is_refused(study, cli, change, complaint):
    (study / "study.yaml").write_text(yaml.safe_dump({**STUDY, **change}))
    refused = cli("reproduce", "study=001-small", "data=.", "write=true", cwd=study.parent)
    assert refused.returncode == 2
    assert complaint in refused.stderr
    assert [p.name for p in study.iterdir()] == ["study.yaml"]


def test_a_folder_that_is_no_study_is_refused(tmp_path, cli):
    refused = cli("reproduce", "study=nothing", cwd=tmp_path)
    assert (refused.returncode, "with study.yaml in it" in refused.stderr) == (2, True)
    assert "expected a folder" in cli("reproduce", cwd=tmp_path).stderr


def test_differences_are_named_by_place():
    before = {"a": {"b": [1.0, None]}, "c": "x"}
    assert differences(before, before) == []
    assert differences(before, {"a": {"b": [1.1, None]}, "c": "y"}) == ["a.b[0]: 1.0, now 1.1", "c: x, now y"]  # fmt: skip
    assert differences(before, {"a": {"b": [1.0]}, "c": "x"}) == ["a.b: [1.0, None], now [1.0]"]
