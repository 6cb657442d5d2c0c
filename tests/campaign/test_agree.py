"""``agree``: the given campaign's published table, any long table, and what is refused."""

import csv
import json

import numpy as np
import pytest
from krippendorff import alpha as reference

from onrecord.campaign.agree import week
from onrecord.campaign.agreement import drift
from onrecord.campaign.agreement.long_table import answers_of_annotations, read_long
from onrecord.campaign.agreement.measures import breakdown, coefficient, measure
from onrecord.core.errors import BadInput
from onrecord.scheme.scheme import load_scheme

SETTINGS = {"level": "nominal"}


def votes_csv(path, rows, header=("task", "annotator", "label")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def given_rows(shared):
    for number in (1, 2, 3):
        for line in (
            (shared / f"campaign/annotator-{number}.jsonl").read_text(encoding="utf-8").splitlines()
        ):
            row = json.loads(line)
            article = row["article"].removesuffix(".txt")
            sentence = f"{article}:{row['start']}-{row['end']}"
            yield {"sentence_id": sentence, "annotator": f"a{number}", "labels": row["labels"]}


@pytest.mark.parametrize(
    ("question", "everything", "prose", "unanimous"),
    [("speaker", 1.0, 1.0, 113), ("speaker_name", 0.992, 0.991, 112),
     ("claim_type", 0.993, 0.991, 112), ("stance", 0.975, 0.971, 110)],
)  # fmt: skip
def test_the_given_campaign_has_its_published_agreement(
    shared, question, everything, prose, unanimous
):
    rows = list(given_rows(shared))
    nobody = {r["sentence_id"] for r in rows if r["labels"]["speaker"] == "none"}
    own = answers_of_annotations(rows, load_scheme(), {}, {})[question]
    found = coefficient(own, **SETTINGS)
    assert round(found["alpha"], 3) == everything
    assert (found["n_tasks"], found["unanimous"]) == (113, unanimous)
    kept = [r for r in rows if r["sentence_id"] not in nobody]
    own = answers_of_annotations(kept, load_scheme(), {}, {})[question]
    assert round(coefficient(own, **SETTINGS)["alpha"], 3) == prose


def test_below_ten_groups_there_is_no_interval_and_a_reason(tmp_path):
    rows = [(f"t{i}", f"a{j}", "xy"[(i + j // 2) % 2]) for i in range(40) for j in range(3)]
    table = votes_csv(
        tmp_path / "v.csv",
        [(*r, str(int(r[0][1:]) % 9)) for r in rows],
        ("task", "annotator", "label", "group"),
    )
    found = coefficient(read_long(table)["label"], **SETTINGS)
    assert found["low"] is None
    assert found["reason"] == "9 groups, fewer than 10"


def test_a_task_without_a_group_is_a_group_of_its_own(tmp_path):
    rows = [(f"t{i}", f"a{j}", "xy"[(i * j) % 2]) for i in range(12) for j in range(3)]
    assert (
        coefficient(read_long(votes_csv(tmp_path / "v.csv", rows))["label"], **SETTINGS)["n_groups"]
        == 12
    )


def test_missing_labels_and_several_questions(tmp_path):
    rows = [
        (f"t{i}", f"a{j}", "xy"[i % 2], q)
        for i in range(12)
        for j in range(3)
        for q in ("one", "two")
    ]
    rows[0] = ("t0", "a0", "", "one")
    tables = read_long(
        votes_csv(tmp_path / "v.csv", rows, ("task", "annotator", "label", "question"))
    )
    assert {name: len(own.task) for name, own in tables.items()} == {"one": 35, "two": 36}


@pytest.mark.parametrize("blank", ["", "None", "nan", "NaN", "NA", "<NA>", "N/A", "null"])
def test_a_label_that_is_no_value_is_a_missing_annotation(tmp_path, blank, onrecord):
    """``none`` is a label, ``None`` is how a program writes that there is none."""
    rows = [(f"t{i}", f"a{j}", ["x", "none"][i % 2], f"g{i}") for i in range(12) for j in range(3)]
    rows[0] = ("t0", "a0", blank, blank)
    path = votes_csv(tmp_path / "v.csv", rows, ("task", "annotator", "label", "group"))
    own = read_long(path)["label"]
    assert (own.labels, len(own.task), own.missing) == (["none", "x"], 35, 1)
    done = onrecord("agree", f"annotations={path}", f"workspace={tmp_path / 'ws'}")
    assert "1 row has no label" in done.stdout
    rows[1] = ("t0", blank, "x", "g0")
    with pytest.raises(BadInput, match="row 2: annotator is empty"):
        read_long(votes_csv(tmp_path / "v.csv", rows, ("task", "annotator", "label", "group")))


def test_perfect_agreement_has_no_interval_without_width(tmp_path, onrecord):
    """20 groups without a disagreement do not show that there is none: the rule of three bounds it."""
    rows = [(f"t{i}", f"a{j}", "xyz"[i % 3], f"g{i // 6}") for i in range(120) for j in range(3)]
    path = votes_csv(tmp_path / "v.csv", rows, ("task", "annotator", "label", "group"))
    done = onrecord("agree", f"annotations={path}", f"workspace={tmp_path / 'ws'}")
    assert "1.000 [1.000" not in done.stdout + (tmp_path / "ws/agreement.html").read_text()
    found = json.loads((tmp_path / "ws/agreement.json").read_text())["questions"]["label"]
    for score in ("percent", "ac1", "fleiss"):
        assert found[score]["low"] < 0.9
    share = 1 - 0.05 ** (1 / 20)
    assert found["low"] == pytest.approx(1 - share * 1.5, abs=0.001)  # chance agreement is a third
    assert all(label["specific"]["low"] < 0.9 for label in found["labels"].values())


def test_annotators_are_reported_however_many_they_are(tmp_path, onrecord):
    """Above 50 the figures by pair are left out, and the page says so; those by annotator never are."""
    given = np.random.default_rng(1)
    rows = [
        (f"t{i}", f"a{j}", "xyz"[i % 3 if given.random() < 0.8 else j % 3], f"g{i // 6}")
        for i in range(240)
        for j in given.choice(70, 4, replace=False)
    ]
    path = votes_csv(tmp_path / "v.csv", rows, ("task", "annotator", "label", "group"))
    done = onrecord("agree", f"annotations={path}", f"workspace={tmp_path / 'ws'}")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "ws/agreement.json").read_text())
    assert len(report["annotators"]) == 70
    question = report["questions"]["label"]
    assert len(question["without_annotator"]) == 70
    assert (
        question["others"]["low"] < question["low"] < question["alpha"] < question["others"]["high"]
    )
    assert question["pairs"] == []
    page = (tmp_path / "ws/agreement.html").read_text()
    assert "70 annotators: pairs are too many to list" in page
    assert "30 of 70 annotators" in page


def test_confusions_and_pairs_are_named(tmp_path):
    rows = [("t1", "ann", "x"), ("t1", "bob", "y"), ("t2", "ann", "x"), ("t2", "bob", "x")]
    found = measure(read_long(votes_csv(tmp_path / "v.csv", rows))["label"], **SETTINGS)
    assert found["confused"] == [{"labels": ["x", "y"], "pairs": 1.0}]
    assert found["pairs"][0]["pair"] == ["ann", "bob"]
    assert found["percent"]["value"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("header", "rows", "complaint"),
    [
        (
            ("task", "who", "label"),
            [("t", "a", "x")],
            "expected the columns task, annotator, label",
        ),
        (
            ("task", "annotator", "label"),
            [("t", "a", "x"), ("t", "a", "y")],
            "'a' labels task 't' more than once",
        ),
        (("task", "annotator", "label"), [("", "a", "x")], "row 1: task is empty"),
        (("task", "annotator", "label"), [("t", "a", "")], "found no row with a label"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, header, rows, complaint):
    with pytest.raises(BadInput, match=complaint):
        read_long(votes_csv(tmp_path / "v.csv", rows, header))


def test_one_annotator_gives_a_reason_and_no_figure(tmp_path, onrecord):
    table = votes_csv(tmp_path / "v.csv", [(f"t{i}", "a", "xy"[i % 2]) for i in range(20)])
    done = onrecord("agree", f"annotations={table}", f"workspace={tmp_path / 'ws'}")
    assert done.returncode == 0, done.stderr
    assert "undefined (no task has two annotations)" in done.stdout
    found = json.loads((tmp_path / "ws/agreement.json").read_text())["questions"]["label"]
    assert found["alpha"] is None


def test_a_minimum_that_is_not_met_is_exit_1(tmp_path, onrecord):
    rows = [(f"t{i}", f"a{j}", "xy"[(i + j) % 2]) for i in range(20) for j in range(2)]
    table = votes_csv(tmp_path / "v.csv", rows)
    done = onrecord("agree", f"annotations={table}", f"workspace={tmp_path / 'ws'}", "minimum=0.5")
    assert done.returncode == 1
    assert "alpha below minimum=0.5: label" in done.stderr


def test_an_unknown_level_is_refused(tmp_path, onrecord):
    table = votes_csv(tmp_path / "v.csv", [("t", "a", "x"), ("t", "b", "x")])
    done = onrecord("agree", f"annotations={table}", f"workspace={tmp_path / 'ws'}", "level=metric")
    assert done.returncode == 2
    assert "level: expected one of nominal, ordinal, interval, found 'metric'" in done.stderr


def test_weeks_are_iso():
    assert week("2027-01-01T00:00:00Z") == "2026-W53"


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_a_slice_and_a_change_are_measured_at_the_question_s_level(tmp_path, level):
    rows = [
        (f"t{i}", f"a{j}", "123"[(i * i + j * (i % 3 == 0)) % 3])
        for i in range(40)
        for j in range(3)
    ]
    own = read_long(votes_csv(tmp_path / "v.csv", rows))["label"]
    new = own.task % 2 == 1
    own.facts.update(
        guidelines=["1.1.0" if late else "1.0.0" for late in new], outlet=["x"] * len(new)
    )
    settings = SETTINGS | {"level": level}
    whole = coefficient(own, **settings)
    assert breakdown(own, "outlet", **settings)["x"]["alpha"] == whole["alpha"]
    parts = [coefficient(own.only(kept), **settings)["alpha"] for kept in (~new, new)]
    (change,) = drift.between_versions(own, **settings)
    assert change["value"] == pytest.approx(parts[1] - parts[0], abs=1e-12)


@pytest.mark.parametrize("level", ["ordinal", "interval"])
def test_labels_that_are_numbers_are_ordered_and_set_apart_by_size(tmp_path, level):
    given = np.array([[1, 2, 10], [10, 10, 2], [2, 2, 2], [1, 1, 2], [10, 1, 10], [2, 10, 10]])
    rows = [(f"t{t}", f"a{a}", given[t, a]) for t in range(6) for a in range(3)]
    own = read_long(votes_csv(tmp_path / "v.csv", rows))["label"]
    assert own.labels == ["1", "2", "10"]
    expected = reference(reliability_data=given.T, level_of_measurement=level)
    found = coefficient(own, level=level)
    assert found["alpha"] == pytest.approx(expected, abs=1e-9)


def test_codes_survive_any_label(tmp_path):
    labels = ["a,b", 'quo"te', "ünï", "∅"]
    rows = [(f"t{i}", f"a{j}", labels[(i + (j == 2)) % 4]) for i in range(40) for j in range(3)]
    own = read_long(votes_csv(tmp_path / "v.csv", rows))["label"]
    assert sorted(own.labels) == sorted(labels)
    assert np.bincount(own.label).sum() == 120
