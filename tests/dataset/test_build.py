"""`build` from a campaign's files and from any table: columns, label order, refusals, the same bytes again."""

import gzip
import hashlib
import json
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest

from onrecord.cli.app import main
from onrecord.scheme.scheme import load_scheme

STANCES = ["favor", "against", "neutral", "none"]


def load(folder: Path, cache: Path, *config: str) -> datasets.DatasetDict:
    return datasets.load_dataset(str(folder), *config, cache_dir=str(cache))


def build(folder: Path, *words: str) -> int:
    return main(["build", "campaign=sample", f"workspace={folder}", *words])


def digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_gold_loads_cold_with_the_schemes_names_and_without_furniture(workspace, tmp_path):
    assert build(workspace) == 0
    found = load(workspace / "dataset", tmp_path / "cache")
    assert found["train"].features["stance"].names == STANCES
    rows = [row for split in found.values() for row in split]
    gold = {
        r["sentence_id"]: r["labels"]
        for r in map(json.loads, (workspace / "gold.jsonl").open(encoding="utf-8"))
    }
    assert len(rows) == len(gold) - 1
    for row in rows:
        assert STANCES[row["stance"]] == gold[row["sentence_id"]]["stance"]
        assert len(row["stance_soft"]) == 4
        assert row["stance_soft"][row["stance"]] == max(row["stance_soft"])
    assert all(row["unanimous"] == (row["stance"] != 3) for row in rows)
    raw = load(workspace / "dataset", tmp_path / "cache", "annotations")
    everything = [row for split in raw.values() for row in split]
    assert len(everything) == 3 * len(gold)
    assert {r["furniture"] for r in everything if not r["in_gold"]} == {"byline"}


def test_parquet_alone_gives_every_label_name(workspace):
    assert build(workspace) == 0
    scheme = load_scheme()
    for file in (workspace / "dataset").rglob("*.parquet"):
        features = datasets.Features.from_arrow_schema(pq.read_schema(file))
        for question in scheme.questions.values():
            if question.kind == "label":
                assert features[question.name].names == question.names, file


def test_copies_count_once_and_share_a_split(workspace):
    assert build(workspace) == 0
    rows = [r for f in (workspace / "dataset/gold").iterdir() for r in pq.read_table(f).to_pylist()]
    assert {r["sentence_id"].split(":")[0] for r in rows if r["is_copy"]} == {"a2"}
    files = [f.stem for f in (workspace / "dataset/gold").iterdir()
             for r in pq.read_table(f).to_pylist() if r["group_id"] == "a1"]  # fmt: skip
    assert len(set(files)) == 1


def test_the_same_input_gives_the_same_bytes(workspace):
    assert build(workspace) == 0
    first = digest(workspace)
    assert build(workspace) == 0
    assert digest(workspace) == first


def test_kfold_leaves_one_group_out_and_drops_stale_splits(workspace):
    assert build(workspace) == 0
    assert build(workspace, "split=kfold") == 0
    assert [f.name for f in (workspace / "dataset/gold").iterdir()] == ["train.parquet"]
    rows = pq.read_table(workspace / "dataset/gold/train.parquet").to_pylist()
    fold_of = {r["group_id"]: r["fold"] for r in rows}
    assert sorted(fold_of.values()) == list(range(7))


def write_rows(path: Path, rows: list[dict]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


ROW = {"id": "1", "text": "The fare is a tax.", "target": "fares", "label": "favor", "split": "train"}  # fmt: skip


def test_rows_keep_their_split_labels_votes_and_columns(tmp_path):
    rows = [ROW | {"id": str(i), "label": label, "split": split, "votes": [label, "none", label], "year": i}
            for i, (label, split) in enumerate([("none", "train"), ("favor", "dev"), ("against", "test"), ("favor", "train")])]  # fmt: skip
    table = write_rows(tmp_path / "rows.jsonl.gz", rows)
    words = ("source=rows", f"rows={table}", "split=fixed", "labels=[favor,against,none]")
    assert build(tmp_path / "ws", *words) == 0
    found = load(tmp_path / "ws/dataset", tmp_path / "cache")
    assert {split: found[split]["sentence_id"] for split in found} == {
        "train": ["0", "3"], "validation": ["1"], "test": ["2"],
    }  # fmt: skip
    assert found["train"].features["label"].names == ["favor", "against", "none"]
    assert found["test"]["label"] == [1]
    assert found["test"]["label_soft"][0] == pytest.approx([0, 2 / 3, 1 / 3])
    assert (found["train"]["unanimous"], found["train"]["year"]) == ([True, False], [0, 3])


@pytest.mark.parametrize(
    ("rows", "words", "complaint"),
    [
        pytest.param([{"id": "1"}], [], "expected the columns id, text, target, label", id="columns"),
        pytest.param([ROW, ROW], [], "occurs more than once", id="an id twice"),
        pytest.param([ROW | {"text": float("nan")}], [], "line 1: expected a JSON object", id="NaN"),
        pytest.param([ROW | {"label": None}], [], "row 1: label is empty", id="no label"),
        pytest.param([ROW], [], "expected two labels or more", id="one label"),
        pytest.param([ROW], ["labels=[against,none]"], "'favor' is not among labels=against,none", id="undeclared"),
        pytest.param([ROW | {"split": "cv"}, ROW | {"id": "2", "label": "x"}], ["split=fixed"], "found 'cv'", id="split"),
        pytest.param([ROW, ROW | {"id": "2", "label": "x"}], ["split=kfold", "split.k=9"], "from 2 to 2 folds", id="folds"),
        pytest.param([ROW, ROW | {"id": "2", "label": "x"}], ["split.name=by_moon"], "no strategy 'by_moon'", id="strategy"),
        pytest.param([ROW, ROW | {"id": "2", "label": "x"}], ["on_leak=shrug"], "expected fail, drop or report", id="on_leak"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_refused(tmp_path, capsys, rows, words, complaint):
    table = write_rows(tmp_path / "rows.jsonl.gz", rows)
    assert build(tmp_path / "ws", "source=rows", f"rows={table}", *words) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "ws").exists()


@pytest.mark.parametrize(
    ("gone", "verb"),
    [("gold.jsonl", "adjudicate"), ("sentences.parquet", "segment"), ("annotations.jsonl", "collect")],
)  # fmt: skip
def test_a_missing_step_is_named(workspace, capsys, gone, verb):
    (workspace / gone).unlink()
    assert build(workspace) == 2
    assert f"onrecord {verb}" in capsys.readouterr().err


def test_gold_that_the_scheme_lacks_is_refused(workspace, capsys):
    gold = [json.loads(line) for line in (workspace / "gold.jsonl").open(encoding="utf-8")]
    gold[1]["labels"]["stance"] = "furious"
    (workspace / "gold.jsonl").write_text("\n".join(map(json.dumps, gold)), encoding="utf-8")
    assert build(workspace) == 2
    assert "stance 'furious' is not in the scheme" in capsys.readouterr().err
    assert not (workspace / "dataset").exists()


def test_a_group_declared_in_two_splits_fails_always(tmp_path, capsys):
    rows = [ROW | {"id": "1", "group": "g"}, ROW | {"id": "2", "group": "g", "split": "test", "label": "against"}]  # fmt: skip
    table = write_rows(tmp_path / "rows.jsonl.gz", rows)
    words = ("source=rows", f"rows={table}", "split=fixed", "on_leak=report")
    assert build(tmp_path / "ws", *words) == 1
    assert "1 groups" in capsys.readouterr().err
    audit = json.loads((tmp_path / "ws/audit.json").read_text(encoding="utf-8"))
    assert audit["groups"] == {"g": ["test", "train"]}
    assert not (tmp_path / "ws/dataset").exists()


def test_checks_and_repeats_are_kept_apart(workspace):
    rows = [json.loads(line) for line in (workspace / "annotations.jsonl").open(encoding="utf-8")]
    last = dict(rows[-1])
    extra = [
        last | {"annotation_id": "check", "purpose": "check"},
        last | {"annotation_id": "repeat", "purpose": "repeat", "labels": last["labels"] | {"stance": "against"}},
        last | {"annotation_id": "gone", "status": "deleted"},
        last | {"annotation_id": "stale", "text_sha256": "0" * 64},
        last | {"comment": "changed my mind", "labels": last["labels"] | {"stance": "favor"}},
    ]  # fmt: skip
    (workspace / "annotations.jsonl").write_text("\n".join(map(json.dumps, [*rows, *extra])), encoding="utf-8")  # fmt: skip
    assert build(workspace) == 0
    raw = [r for f in (workspace / "dataset/annotations").iterdir() for r in pq.read_table(f).to_pylist()]  # fmt: skip
    assert len(raw) == len(rows) + 2
    assert {r["annotation_id"] for r in raw if r["purpose"] != "main"} == {"check", "repeat"}
    final = [r for r in raw if r["annotation_id"] == last["annotation_id"]]
    assert [(STANCES[r["stance"]], r["comment"]) for r in final] == [("favor", "changed my mind")]
    gold = [r for f in (workspace / "dataset/gold").iterdir() for r in pq.read_table(f).to_pylist()]
    decided = [STANCES[r["stance"]] for r in gold if r["sentence_id"] == last["sentence_id"]]
    assert decided == ["none"]  # raw labels change nothing that was decided


def test_a_rebuilt_dataset_is_not_served_from_the_cache(tmp_path):
    for labels in (["favor", "against"], ["against", "favor"]):
        write_rows(tmp_path / "rows.jsonl.gz", [ROW | {"id": str(i), "text": f"Sentence {i}.", "label": labels[i % 2]} for i in range(6)])  # fmt: skip
        assert (
            build(tmp_path / "ws", "source=rows", f"rows={tmp_path}/rows.jsonl.gz", "split=fixed")
            == 0
        )
        rows = load(tmp_path / "ws/dataset", tmp_path / "cache")["train"]
        assert [rows.features["label"].int2str(i) for i in rows["label"][:2]] == labels
