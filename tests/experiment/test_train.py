"""train and evaluate through the command line, on a table built by ``build``."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from onrecord.experiment.data import read_examples
from onrecord.experiment.runs import read_run

from .conftest import done, table, write_rows


@pytest.fixture(scope="module")
def home(built, tmp_path_factory, cli):
    """A copy of the built folder with one run trained and evaluated."""
    folder = tmp_path_factory.mktemp("home") / "home"
    shutil.copytree(built, folder)
    done(cli("train", "model=tfidf_logreg", "workspace=ws", "run=one", cwd=folder))
    done(cli("evaluate", "workspace=ws", "run=one", cwd=folder))
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_holds_what_it_should(home):
    run = home / "one"
    assert {p.name for p in run.iterdir()} == {
        "run.json", "model.skops", "cv.json", "out_of_fold.parquet", "model_card.md",
        "report.json", "report.html", "predictions.parquet", "groups.parquet",
    }  # fmt: skip
    report = json.loads((run / "report.json").read_text())
    assert report["macro_f1"]["low"] < report["macro_f1"]["value"] < report["macro_f1"]["high"]
    assert report["macro_f1"]["value"] > report["baseline"]["scores"]["macro_f1"]["value"]
    assert report["signature"]["on"] == "test"
    assert report["n"] == sum(v["n"] for v in report["per_label"].values())
    predictions = pq.read_table(run / "predictions.parquet")
    assert predictions.column_names == ["id", "label", "predicted", "against", "favor", "neutral"]
    for row in predictions.to_pylist():
        assert max(row[n] for n in report["labels"]) == row[row["predicted"]]
    assert (home / "experiments" / "leaderboard.html").is_file()
    board = pq.read_table(home / "experiments" / "leaderboard.parquet").to_pylist()
    assert [row["name"] for row in board] == ["tfidf_logreg"]
    assert board[0]["macro_f1"] == report["macro_f1"]["value"]


def test_nothing_but_pages_holds_text(home):
    texts = [row["text"] for row in table()]
    for name, content in everything(home / "one").items():
        if name not in ("report.html", "model.skops"):
            assert not any(t.encode() in content for t in texts), name
    assert any(t.encode() in (home / "one" / "report.html").read_bytes() for t in texts)


def test_a_second_time_changes_nothing(home, cli):
    before = everything(home)
    assert "already trained" in done(cli("train", "model=tfidf_logreg", "workspace=ws", "run=one", cwd=home))  # fmt: skip
    assert "looked at this test split: 1" in done(cli("evaluate", "workspace=ws", "run=one", cwd=home))  # fmt: skip
    assert everything(home) == before


def test_the_same_seed_gives_the_same_bytes(home, cli):
    done(cli("train", "model=tfidf_logreg", "workspace=ws", "run=two", "cached=false", cwd=home))
    done(cli("evaluate", "workspace=ws", "run=two", cwd=home))
    for name in ("predictions.parquet", "out_of_fold.parquet", "cv.json", "report.json"):
        assert (home / "one" / name).read_bytes() == (home / "two" / name).read_bytes(), name
    shutil.rmtree(home / "two")


def test_a_sweep_fills_run_folders_and_the_newest_is_evaluated(home, cli):
    told = done(cli("train", "-m", "model=majority,tfidf_svm", "workspace=ws", cwd=home))
    assert "majority: " in told
    runs = sorted(p.name.rpartition("-")[0] for p in (home / "experiments/runs").glob("*/"))
    assert [name for name in runs if name] == ["majority", "tfidf_svm"]
    assert "tfidf_svm, out of fold" in done(cli("evaluate", "on=out_of_fold", "workspace=ws", cwd=home))  # fmt: skip
    assert not (home / "outputs").exists()
    assert not (home / "multirun").exists()


def test_a_joblib_sweep_makes_the_same_runs(home, onrecord_process):
    words = ("train", "-m", "model=majority,tfidf_nb", "workspace=ws", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")  # fmt: skip
    done(onrecord_process(*words, cwd=home))
    assert len(list((home / "experiments/runs").glob("tfidf_nb-*/run.json"))) == 1


def test_a_sweep_through_submitit_makes_the_same_runs(home, cli, onrecord_process):
    """As on a cluster, but with submitit's own local executor; Slurm's config composes."""
    launcher = ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5")
    words = ("model=majority_per_target", "workspace=ws", *launcher)
    done(onrecord_process("train", "-m", *words, cwd=home))
    assert len(list((home / "experiments/runs").glob("majority_per_target-*/run.json"))) == 1
    told = done(cli("train", "--cfg", "hydra", "hydra/launcher=slurm", cwd=home))
    assert "SlurmLauncher" in told


def test_folds_of_the_dataset_are_scored_out_of_fold(home, cli):
    done(cli("build", "source=rows", "rows=rows.jsonl", "workspace=folded", "split=kfold", "split.k=4", cwd=home))  # fmt: skip
    done(cli("train", "model=tfidf_logreg", "workspace=folded", "run=three", cwd=home))
    assert "out of fold" in done(cli("evaluate", "workspace=folded", "run=three", cwd=home))
    report = json.loads((home / "three" / "report.json").read_text())
    assert report["n"] == len(read_examples(home / "folded" / "dataset").frame)
    assert "looks_at_test" not in report
    refused = cli("evaluate", "workspace=folded", "run=three", "on=test", cwd=home)
    assert (refused.returncode, "no test split" in refused.stderr) == (2, True)


def test_whole_outlets_are_held_out(home, cli):
    words = ("train", "model=tfidf_nb", "fold_by=outlet", "workspace=ws", "run=held")
    assert "4 folds by outlet" in done(cli(*words, cwd=home))
    done(cli("evaluate", "on=out_of_fold", "workspace=ws", "run=held", cwd=home))
    outlet_of = {row["id"]: row["outlet"] for row in table()}
    folds = pq.read_table(home / "held" / "out_of_fold.parquet").to_pylist()
    assert len({(row["fold"], outlet_of[row["id"]]) for row in folds}) == 4


def test_small_data_is_refused_or_said_to_be_small(home, cli, tmp_path):
    write_rows(tmp_path / "rows.jsonl", table(groups=6, rows=6))
    words = ("build", "source=rows", "rows=rows.jsonl", "workspace=ws", "split=kfold")
    done(cli(*words, cwd=tmp_path))
    refused = cli("train", "workspace=ws", cwd=tmp_path)
    assert refused.returncode == 2
    assert "against: 12 rows in 6 groups" in refused.stderr
    assert not (tmp_path / "experiments").exists()
    done(cli("train", "workspace=ws", "allow_small=true", "run=r", cwd=tmp_path))
    assert "too small to evaluate" in done(cli("evaluate", "workspace=ws", "run=r", cwd=tmp_path))
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    assert report["heading"] == "too small to evaluate"
    assert report["macro_f1"]["low"] is None
    assert report["macro_f1"]["reason"] == "6 groups, fewer than 10"
    assert "too small to evaluate" in (tmp_path / "r" / "report.html").read_text()
    assert "against: 12 rows in 6 groups" in (tmp_path / "r" / "model_card.md").read_text()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        pytest.param(lambda run: (run / "run.json").unlink(), "half written, it has no run.json", id="no run.json"),
        pytest.param(lambda run: (run / "model.skops").unlink(), "half written, model.skops", id="no model"),
        pytest.param(lambda run: (run / "model.skops").write_text("x"), "saved with skops", id="not skops"),
        pytest.param(lambda run: (run / "run.json").write_text("{"), "expected JSON", id="run.json torn"),
        pytest.param(lambda run: (run / "run.json").write_text("[]"), "expected the key", id="run.json no object"),
        pytest.param(shutil.rmtree, "no such run", id="no folder"),
        pytest.param(
            lambda run: (run / "run.json").write_text(json.dumps({**read_run(run), "data": "other"})),
            "trained on the data other", id="other data",
        ),
    ],
)  # fmt: skip
def test_a_run_that_is_not_whole_is_refused(home, cli, spoil, complaint):
    run = home / "spoilt"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(home / "one", run)
    (run / "report.json").unlink()
    spoil(run)
    refused = cli("evaluate", "workspace=ws", "run=spoilt", cwd=home)
    assert refused.returncode == 2, refused.stdout
    assert complaint in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not (run / "report.json").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("train", "workspace=nowhere"), "run `onrecord build` first"),
        (("evaluate", "workspace=nowhere"), "run `onrecord build` first"),
        (("evaluate", "workspace=ws", "run=one", "on=tset"), "on=tset: expected one of auto, test"),
        (("train", "workspace=ws", "model=tfidf_logrge"), "did you mean 'tfidf_logreg'?"),
        (("train", "workspace=ws", "clasifier.C=1"), "there is no key 'clasifier.C'"),
    ],
)
def test_bad_input_is_one_line(home, cli, words, complaint):
    refused = cli(*words, cwd=home)
    assert refused.returncode == 2
    assert complaint in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_one_group_only_is_refused(cli, tmp_path):
    rows = [{**row, "group": "one"} for row in table(groups=30)]
    write_rows(tmp_path / "rows.jsonl", rows)
    built = cli("build", "source=rows", "rows=rows.jsonl", "workspace=ws", cwd=tmp_path)
    if built.returncode:  # build may refuse it before us
        assert built.returncode == 2
        return
    refused = cli("train", "workspace=ws", "allow_small=true", cwd=tmp_path)
    assert refused.returncode == 2


def test_majority_per_target_is_the_published_figure(shared, cli, tmp_path):
    rows = f"rows={shared}/benchmarks/semeval2016.jsonl.gz"
    done(cli("build", "source=rows", rows, "workspace=ws", "split=fixed", cwd=tmp_path))
    done(cli("train", "workspace=ws", "model=majority_per_target", "run=r", cwd=tmp_path))
    done(cli("evaluate", "workspace=ws", "run=r", cwd=tmp_path))
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    assert round(100 * report["f_avg"]["value"], 2) == 65.22
