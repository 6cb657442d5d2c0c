"""A model by one file in the user's own folder: what it says is what is trained."""

import json
import zipfile

import pytest

from onrecord.cli.app import main

FOREST = """
defaults: [tfidf_logreg, _self_]
name: forest
classifier: {_target_: sklearn.ensemble.RandomForestClassifier, n_estimators: 5, max_depth: 3}
"""
GRANDCHILD = "defaults: [forest, _self_]\nname: deep\nclassifier: {max_depth: 9}\n"
LABELS = {"favor": "good cheap", "against": "bad costly"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a built dataset and models of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    models = tmp_path / "conf" / "model"
    models.mkdir(parents=True)
    (models / "forest.yaml").write_text(FOREST)
    (models / "deep.yaml").write_text(GRANDCHILD)
    rows = [
        {
            "id": f"{label}{i}",
            "text": f"{words} {i}",
            "target": "t",
            "label": label,
            "group": f"{label} {i}",
        }
        for label, words in LABELS.items()
        for i in range(40)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["build", "source=rows", "rows=rows.jsonl", "workspace=ws", "on_leak=report"]) == 0
    return tmp_path


def trained(folder, *overrides):
    assert (
        main(["train", "workspace=ws", "allow_small=true", "folds=2", "run=run", *overrides]) == 0
    )
    return json.loads((folder / "run" / "run.json").read_text())


@pytest.mark.parametrize(
    ("overrides", "parameters"),
    [
        (["model=forest"], {"n_estimators": 5, "max_depth": 3, "class_weight": None}),
        (["model=deep"], {"n_estimators": 5, "max_depth": 9}),
        (
            ["model=forest", "classifier.min_samples_leaf=2"],
            {"max_depth": 3, "min_samples_leaf": 2},
        ),
    ],
)
def test_one_file_trains_the_class_that_it_names(folder, overrides, parameters):
    run = trained(folder, *overrides)
    (part,) = run["fitted"]
    assert part["classifier"] == "RandomForestClassifier"
    assert part["parameters"].items() >= parameters.items()
    assert "RandomForestClassifier" in (folder / "run" / "model_card.md").read_text()
    with zipfile.ZipFile(folder / "run" / "model.skops") as saved:
        assert b"RandomForestClassifier" in saved.read("schema.json")


def test_parts_of_a_model_are_exchanged_by_name(folder):
    run = trained(
        folder, "model=tfidf_logreg", "features=[words]", "classifier=svm", "classifier.C=2"
    )
    assert run["fitted"][0]["classifier"] == "LinearSVC"
    assert run["fitted"][0]["parameters"]["C"] == 2
    assert list(run["settings"]["model"]["features"]) == ["words"]


@pytest.mark.parametrize(
    ("content", "overrides", "complaint"),
    [
        (FOREST, ["classifier.C=2"], "RandomForestClassifier takes no 'C'"),
        (FOREST, ["classifier=svm"], "model=forest states its classifier"),
        (FOREST + "clasifier: {}", [], "found 'clasifier'"),
        (
            FOREST.replace("max_depth", "max_dept"),
            [],
            "takes no 'max_dept'; did you mean 'max_depth'?",
        ),
        (FOREST.replace("sklearn.ensemble.R", "subprocess.R"), [], "expected a class of sklearn"),
    ],
)
def test_what_a_model_file_cannot_say_is_refused_in_one_line(
    folder, capsys, content, overrides, complaint
):
    (folder / "conf/model/forest.yaml").write_text(content)
    capsys.readouterr()
    assert main(["train", "workspace=ws", "allow_small=true", "model=forest", *overrides]) == 2
    line = capsys.readouterr().err
    assert complaint in line
    assert len(line.strip().splitlines()) == 1
    assert not (folder / "experiments").exists()
