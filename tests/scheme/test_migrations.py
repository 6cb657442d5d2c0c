"""A change of the scheme says what it does to collected labels, and raw lines stay as they were written."""

import copy
import shutil

import pytest
import yaml

from onrecord.core.errors import BadInput
from onrecord.core.files import write_jsonl
from onrecord.scheme import migrations
from onrecord.scheme.scheme import annotation_folder, parse_scheme

FIRST = yaml.safe_load((annotation_folder() / "scheme.yaml").read_text(encoding="utf-8"))


def second(**labels):
    """The scheme's version 2, with labels of claim_type renamed (``old="new"``), dropped (``old=None``)."""
    declared = copy.deepcopy(FIRST)
    declared["version"] = 2
    asked = declared["questions"]["claim_type"]["labels"]
    for old, new in labels.items():
        body = asked.pop(old)
        if new and new not in asked:
            asked[new] = body
    return declared


def annotation(label, version=1, **more):
    row = {
        "annotation_id": f"a-{label}-{version}", "sentence_id": "a:0-1", "annotator": "ann", "round": "main",
        "target_id": "t", "labels": {"speaker": "author", "speaker_name": None, "claim_type": label, "stance": "none"},
        "speaker_span": None, "flags": [], "comment": "", "text_sha256": "x", "seconds": None, "created_at": "",
        "updated_at": "", "suggestion_shown": False, "guidelines_version": "1.0.0", "scheme_version": version,
        "purpose": "main", "status": "submitted", "origin": "people",
    }  # fmt: skip
    return row | more


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write a folder with version 1 kept, a version 2 and a migration, and go there."""

    def make(new, migration=None):
        here = tmp_path / "annotation"
        shutil.copytree(annotation_folder(), here)
        (here / "schemes").mkdir(exist_ok=True)
        (here / "schemes" / "1.yaml").write_text(yaml.safe_dump(FIRST, sort_keys=False))
        (here / "scheme.yaml").write_text(yaml.safe_dump(new, sort_keys=False))
        if migration:
            (here / "migrations.yaml").write_text(yaml.safe_dump(migration))
        monkeypatch.chdir(tmp_path)
        return here

    return make


STEP = [
    {"from": 1, "to": 2, "labels": {"claim_type": {"judgement": "evaluation", "rule": "policy"}}}
]


def test_a_rename_and_a_merge_are_told_and_applied_as_labels_are_read(folder, tmp_path, onrecord):
    folder(second(judgement="evaluation", rule="policy"), STEP)
    path = tmp_path / "data" / "sample" / "annotations.jsonl"
    write_jsonl(path, [annotation("judgement"), annotation("rule"), annotation("evaluation", 2)])
    before = path.read_bytes()
    done = onrecord("scheme", "diff=1..2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "renamed: claim_type judgement → evaluation  (1 collected labels)",
        "merged: claim_type rule → policy  (1 collected labels)",
    ]
    found = [row["labels"]["claim_type"] for row in migrations.read_annotations(path)]
    assert found == ["evaluation", "policy", "evaluation"]
    assert [row["scheme_version"] for row in migrations.read_annotations(path)] == [1, 1, 2]
    assert path.read_bytes() == before


def test_a_removed_label_that_is_in_use_is_refused(folder, tmp_path, onrecord):
    folder(second(rule=None))
    path = tmp_path / "data" / "sample" / "annotations.jsonl"
    write_jsonl(path, [annotation("fact")])
    assert "removed: claim_type rule" in onrecord("scheme", "diff=1..2", cwd=tmp_path).stdout
    assert migrations.read_annotations(path)[0]["labels"]["claim_type"] == "fact"
    write_jsonl(path, [annotation("fact"), annotation("rule")])
    done = onrecord("scheme", "diff=1..2", cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "removed while in use: claim_type rule (1)" in done.stderr
    with pytest.raises(BadInput, match="not migrated by"):
        migrations.read_annotations(path)
    write_jsonl(path, [annotation("rule", status="deleted")])
    assert migrations.read_annotations(path)[0]["labels"]["claim_type"] == "rule"


def test_every_kind_of_change_is_named():
    old = parse_scheme(FIRST, "1")
    declared = second(judgement="evaluation", rule=None)
    declared["questions"]["claim_type"]["labels"]["forecast"] = {"hotkey": "v"}
    declared["questions"]["stance"]["labels"]["favor"]["hint"] = "other words"
    declared["questions"]["tone"] = {
        "ask": "?",
        "labels": {"a": {"hotkey": "m"}, "b": {"hotkey": "n"}},
    }
    new = parse_scheme(declared, "2")
    step = [migrations.Migration(1, 2, {"claim_type": {"judgement": "evaluation"}})]
    assert [change.describe() for change in migrations.difference(old, new, step)] == [
        "renamed: claim_type judgement → evaluation",
        "removed: claim_type rule",
        "added: claim_type forecast",
        "reworded: stance favor",
        "added: tone",
    ]
    wrong = [migrations.Migration(1, 2, {"claim_type": {"judgement": "opinion"}})]
    with pytest.raises(BadInput, match="has no 'opinion'"):
        migrations.difference(old, new, wrong)


@pytest.mark.parametrize("text", ["1", "2..1", "1..1", "a..b", "1...2"])
def test_a_range_is_two_versions_the_earlier_first(text):
    with pytest.raises(BadInput, match="expected two versions"):
        migrations.parse_range(text)


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param("nonsense", id="no list"),
        pytest.param([{"from": 1, "to": 3, "labels": {}}], id="two versions at once"),
        pytest.param([{"from": 1, "labels": {}}], id="no end"),
    ],
)
def test_a_migration_of_another_shape_is_refused(folder, declared):
    here = folder(second(judgement="evaluation"), declared)
    with pytest.raises(BadInput, match=r"migrations\.yaml"):
        migrations.migrations(here)


def test_a_version_that_is_kept_nowhere_is_refused(folder):
    here = folder(second(judgement="evaluation"))
    assert migrations.scheme_of(1, here).version == 1
    with pytest.raises(BadInput, match="no version 7"):
        migrations.scheme_of(7, here)
    (here / "schemes" / "7.yaml").write_text((here / "schemes" / "1.yaml").read_text())
    with pytest.raises(BadInput, match="expected version 7, found 1"):
        migrations.scheme_of(7, here)
