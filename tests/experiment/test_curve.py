"""The learning curve: a power law, its extrapolation, and the report that shows it."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.core.errors import BadInput
from onrecord.experiment import curve

from .conftest import NB, WORDS, done

SPEC = {"features": WORDS, "classifier": NB}


@given(a=st.floats(0.3, 1), b=st.floats(0.1, 3), c=st.floats(0.1, 1.5))
@settings(deadline=None)
def test_a_power_law_is_found_again(a, b, c):
    sizes = np.array([50.0, 100, 200, 400, 800, 1600])
    values = a - b * sizes**-c
    found = [part[0] for part in curve.fit_power_law(sizes, values[None])]
    assert found[0] - found[1] * 3200.0 ** -found[2] == pytest.approx(a - b * 3200.0**-c, abs=0.02)


def test_the_curve_rises_and_says_what_more_would_give(examples):
    found = curve.make_curve(
        examples, SPEC, [0.05, 0.3, 1.0], [500], soft=False, measure="macro_f1", folds=3, repeats=2, replicates=300, seed=1,
    )  # fmt: skip
    values = [p["value"] for p in found["points"]]
    assert values[0] < values[-1]
    told = found["extrapolation"][0]
    assert told["low"] <= told["value"] <= told["high"]
    again = curve.make_curve(
        examples, SPEC, [0.05, 0.3, 1.0], [500], soft=False, measure="macro_f1", folds=3, repeats=2, replicates=300, seed=1,
    )  # fmt: skip
    assert again == found


@pytest.mark.parametrize(
    ("shares", "measure", "complaint"),
    [
        ([0.5, 1.0], "macro_f1", "three or more"),
        ([0.5, 0.2, 1.0], "macro_f1", "rising"),
        ([0.0, 0.5, 1.0], "macro_f1", "above 0"),
        ([0.1, 0.5, 1.0], "f2", "measure=f2"),
    ],
)
def test_a_curve_that_cannot_be_drawn_is_refused(examples, shares, measure, complaint):
    with pytest.raises(BadInput, match=complaint):
        curve.make_curve(examples, SPEC, shares, [1], soft=False, measure=measure, folds=3, repeats=1, replicates=10, seed=1)  # fmt: skip


def test_the_curve_is_drawn_and_shown_in_the_report_of_the_same_learner(runs, built, cli):
    where = f"workspace={built / 'ws'}"
    words = ("model=tfidf_nb", where, "repeats=1", "replicates=200", "folds=3")
    told = done(cli("curve", *words, cwd=runs))
    assert "500 more sentences would give about 0." in told
    ElementTree.parse(built / "ws" / "curve.svg")
    for run in ("tfidf_nb", "tfidf_logreg"):
        done(cli("evaluate", where, f"run={run}", cwd=runs))
        shown = "500 more sentences would give about" in (runs / run / "report.html").read_text()
        kept = json.loads((runs / run / "report.json").read_text())["curve"]
        assert (run == "tfidf_nb") == shown == (kept is not None)
