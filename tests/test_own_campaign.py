"""A newcomer's own campaign: an empty folder, other questions and labels, the whole way without Python."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from datasets import Features

SAMPLE = Path(__file__).parents[1] / "data/sample/articles"
SCHEME = {
    "version": 1,
    "questions": {
        "tone": {
            "ask": "How does the sentence speak of the target?", "target": True,
            "labels": {
                "warm": {"hotkey": "1", "hint": "praise, hope"}, "cold": {"hotkey": "2"}, "plain": {"hotkey": "3"},
            },
        },
        "who": {"kind": "name", "ask": "Who is it about?", "hotkeys": ["8", "9", "0"]},
        "tense": {
            "ask": "Of what time is it?",
            "labels": {"past": {"hotkey": "q"}, "present": {"hotkey": "w"}, "future": {"hotkey": "e"}},
        },
        "tone_fares": {
            "ask": "And of the second target?", "target": "fares", "when": {"tense": ["past", "present"]},
            "labels": {"warm": {"hotkey": "4"}, "cold": {"hotkey": "5"}, "plain": {"hotkey": "6"}},
        },
        "doubt": {"ask": "Does it doubt?", "labels": {"doubts": {"hotkey": "a"}, "does_not": {"hotkey": "s"}}},
    },
    "flags": {"odd": {"hotkey": "z"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def walked(label_studio_installed, tmp_path_factory, onrecord):
    """A folder after init, the whole campaign with simulated annotators, and a model trained."""
    folder = tmp_path_factory.mktemp("own")

    def run(verb, *words):
        done = onrecord(verb, "campaign=tones", *words, cwd=folder)
        assert done.returncode == 0, f"{verb}: {done.stdout}{done.stderr}"
        return done.stdout

    run("init", "target=the tram line")
    (folder / "annotation/scheme.yaml").write_text(yaml.safe_dump(SCHEME, sort_keys=False))
    (folder / "annotation/guidelines.md").write_text(
        "# Guidelines of the tones, version 0.1.0\n\n<!-- target -->\n<!-- end -->\n\n"
        "<!-- scheme: tone -->\n<!-- end -->\n\n## Of the fares\n<!-- scheme: tone_fares -->\n<!-- end -->\n"
    )
    config = folder / "conf/campaign/tones.yaml"
    config.write_text(
        config.read_text()
        .replace("origin: people", "origin: simulated")
        .replace("creators: []", "creators: [{name: Tone Lab, organization: true}]")
        + "targets:\n  fares: {name: higher fares, opposite: free rides, aliases: [fare increase]}\n"
    )
    for name in ("001_ledger_proposal", "003_journal_parking-fee", "004_ledger_driver-shortage"):
        shutil.copy(SAMPLE / f"{name}.txt", folder / "data/tones/articles")
    for verb in ("validate", "ingest", "segment", "attribute"):
        run(verb)
    run("plan", "annotators=2")
    run("serve")
    try:
        run("launch", "simulate=true")
        status = run("status")
        run("collect")
    finally:
        run("serve", "stop=true")
    for verb in ("agree", "adjudicate"):
        run(verb)
    run("build", "split=kfold")
    run("train", "model=tfidf_per_target", "allow_small=true", "run=run")
    run("evaluate", "run=run", "on=out_of_fold")
    run("view")
    run("publish", "version=0.1.0")
    return folder, status, run("make", "until=build")


def test_the_page_asks_the_scheme_s_questions(walked):
    launched = [json.loads(line) for line in (walked[0] / "data/tones/launched.jsonl").open()]
    assert {row["annotator"] for row in launched} == {"annotator-1", "annotator-2"}
    annotations = [json.loads(line) for line in (walked[0] / "data/tones/annotations.jsonl").open()]
    assert len(annotations) == len(launched)
    assert {tuple(row["labels"]) for row in annotations} == {
        ("tone", "who", "tense", "tone_fares", "doubt")
    }
    assert {row["origin"] for row in annotations} == {"simulated"}


def test_features_are_the_scheme_s_labels_in_its_order(walked):
    schema = pq.read_schema(walked[0] / "data/tones/dataset/gold/train.parquet")
    features = Features.from_arrow_schema(schema)
    assert features["tone"].names == ["warm", "cold", "plain"]
    assert features["tense"].names == ["past", "present", "future"]
    assert features["doubt"].names == ["doubts", "does_not"]


def test_agreement_and_report_follow(walked):
    agreement = json.loads((walked[0] / "data/tones/agreement.json").read_text())
    assert list(agreement["questions"]) == ["tone", "who", "tense", "tone_fares", "doubt"]
    report = json.loads((walked[0] / "run/report.json").read_text())
    assert report["question"] == "tone"
    assert report["f_avg"] is None or report["f_avg"]["value"] is None


def test_a_second_target_is_asked_learnt_and_reported_beside_the_first(walked, onrecord):
    folder, workspace = walked[0], walked[0] / "data/tones"
    targets = ["the tram line", "higher fares"]
    gold = [json.loads(line) for line in (workspace / "gold.jsonl").open()]
    tables = [pq.read_table(f) for f in (workspace / "dataset/gold").glob("*.parquet")]
    rows = [row for table in tables for row in table.to_pylist()]
    names = ["warm", "cold", "plain"]
    built = {(r["sentence_id"], r["target"]): names[r["tone"]] for r in rows}
    for question, target in zip(("tone", "tone_fares"), targets, strict=True):
        own = {g["sentence_id"]: g["labels"][question] for g in gold}
        kept = {s: label for s, label in own.items() if label and (s, target) in built}
        assert kept
        assert kept == {s: label for (s, t), label in built.items() if t == target}
    assert "tone_fares" not in tables[0].column_names
    predicted = pq.read_table(folder / "run/predictions.parquet")["id"].to_pylist()
    assert len(set(predicted)) == len(predicted)
    assert {one.partition(" → ")[2] for one in predicted} >= set(targets)
    report = json.loads((folder / "run/report.json").read_text())
    assert set(report["per_target"]) == set(targets)
    assert {p.name for p in (workspace / "releases/v0.1.0").iterdir()} >= {
        "target-the-tram-line", "target-higher-fares",
    }  # fmt: skip
    done = onrecord(
        "view", "campaign=tones", "labels_from=predictions", "predictions=run/predictions.parquet",
        "colour=tone_fares", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (workspace / "articles.html").read_text()
    assert "&#34;tone&#34;" in page
    assert "&#34;tone_fares&#34;" in page


def test_one_target_alone_is_learnt_on_request(walked, onrecord, tmp_path):
    workspace = shutil.copytree(walked[0] / "data/tones", tmp_path / "tones")
    done = onrecord(
        "build", "campaign=tones", f"workspace={workspace}", "learn=tone_fares", "split=kfold",
        cwd=walked[0],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = pq.read_table(workspace / "dataset/gold/train.parquet").to_pylist()
    assert {row["target"] for row in rows} == {"higher fares"}
    assert {"tone", "tone_fares"} <= set(rows[0])


def test_make_finds_all_done_as_it_was_done_and_goes_on_without_a_server(walked):
    lines = walked[2].splitlines()
    assert [line.split()[1].rstrip(";") for line in lines] == ["done"] * 9, walked[2]
    assert "no new annotations: no Label Studio runs" in lines[5]


def test_the_release_takes_its_text_back(walked, onrecord, tmp_path):
    done = onrecord(
        "rehydrate", "campaign=tones", "release=data/tones/releases/v0.1.0",
        "articles=data/tones/articles", f"workspace={tmp_path / 'back'}", cwd=walked[0],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "back/rehydration.json").read_text())["recovery"] == 1


def test_progress_is_shown_and_the_release_stands(walked):
    assert "annotator-2" in walked[1]
    release = walked[0] / "data/tones/releases/v0.1.0"
    assert "| warm | 4 |" in (release / "guidelines.md").read_text()  # with the scheme's tables
    card = (release / "README.md").read_text()
    assert "imulated" in card
