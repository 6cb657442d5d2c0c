"""Runs side by side on the same sentences."""

import json

import pytest

from onrecord.experiment.scoring import holm

from .conftest import done, table


def test_runs_are_compared_by_group_first(runs, cli):
    told = done(cli("compare", "runs=tfidf_logreg,majority,tfidf_nb", cwd=runs))
    assert "tfidf_logreg is better" in told
    assert "blind to groups" in told
    found = json.loads((runs / "compare.json").read_text())
    assert [(p["first"], p["second"]) for p in found["pairs"]] == [
        ("tfidf_logreg", "majority"), ("tfidf_logreg", "tfidf_nb"), ("majority", "tfidf_nb"),
    ]  # fmt: skip
    pair = found["pairs"][0]["difference"]["macro_f1"]
    values = {name: run["macro_f1"]["value"] for name, run in found["runs"].items()}
    assert pair["value"] == pytest.approx(values["tfidf_logreg"] - values["majority"])
    assert pair["verdict"] == "first"
    page = (runs / "compare.html").read_text()
    for run in ("tfidf_logreg", "majority", "tfidf_nb"):
        signature = json.loads((runs / run / "report.json").read_text())["signature"]
        assert all(signature[key] in page for key in ("data", "config", "name"))
    assert "tfidf_logreg is better" in page
    assert not any(row["text"] in page for row in table())


def test_pairs_are_corrected_for_their_number_or_tested_against_one_baseline(runs, cli):
    """Three runs are three pairs, corrected by Holm; a baseline, by name or folder, leaves two."""
    done(cli("compare", "runs=tfidf_logreg,majority,tfidf_nb", cwd=runs))
    found = json.loads((runs / "compare.json").read_text())["pairs"]
    p = [pair["difference"]["macro_f1"]["p"] for pair in found]
    assert [pair["difference"]["macro_f1"]["p_holm"] for pair in found] == pytest.approx(holm(p))
    said = done(
        cli("compare", "runs=tfidf_logreg,majority,tfidf_nb", "baseline=majority", cwd=runs)
    )
    found = json.loads((runs / "compare.json").read_text())
    assert found["baseline"] == "majority"
    assert [(p["first"], p["second"]) for p in found["pairs"]] == [
        ("tfidf_logreg", "majority"), ("tfidf_nb", "majority"),
    ]  # fmt: skip
    assert "corrected for 2 pairs" in said
    assert "the smallest difference that these groups would show" in said


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("compare",), "at least two run folders"),
        (("compare", "runs=majority"), "at least two run folders"),
        (("compare", "runs=majority,gone"), "no such run"),
        (("compare", "runs=majority,./majority"), "named twice"),
        (("compare", "runs=majority,tfidf_nb", "out=page.html"), "ends in .json"),
        (
            ("compare", "runs=majority,tfidf_nb", "measure=f2"),
            "measure=f2: expected one of macro_f1",
        ),
        (("compare", "runs=majority,tfidf_nb", "baseline=other"), "baseline: expected one of"),
        (("compare", "runs=majority,other"), "expected the 60 sentences"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, built, cli, words, complaint):
    if words[-1].endswith("other") and not (runs / "other").exists():
        where = f"workspace={built / 'ws'}"
        done(cli("train", "model=majority", where, "run=other", cwd=runs))
        done(cli("evaluate", "on=out_of_fold", where, "run=other", cwd=runs))
    refused = cli(*words, cwd=runs)
    assert refused.returncode == 2
    assert complaint in refused.stderr
