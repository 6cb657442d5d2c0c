"""Estimates of a corpus: textbook variances, properties, refusals, coverage by simulation, and the command."""

import itertools
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

import onrecord
from onrecord.core.errors import BadInput
from onrecord.core.files import write_json, write_jsonl
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS, sentence_id
from onrecord.core.tables import write_parquet
from onrecord.core.workspace import Workspace
from onrecord.experiment.estimate import estimate


def corpus(n=600, groups=60, seed=0, share=0.4, right=0.8):
    """Return a corpus with gold in every row: groups lean one way, the model is right in ``right`` of the rows."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    lean = np.clip(share + rng.normal(0, 0.2, groups), 0.02, 0.98)[group]
    gold = np.where(rng.random(n) < lean, "yes", "no")
    wrong = np.where(gold == "yes", "no", "yes")
    predicted = np.where(rng.random(n) < right, gold, wrong)
    outlet = np.where(group % 3 == 0, "A", "B")
    day = rng.integers(0, 100, n)
    return pd.DataFrame(
        {
            "id": range(n),
            "group": group,
            "gold": gold,
            "predicted": predicted,
            "outlet": outlet,
            "day": day,
        }
    )


def sampled(frame, drawn, probability):
    return frame.assign(label=frame["gold"].where(drawn), inclusion_probability=probability).drop(
        columns="gold"
    )


def rows_drawn(frame, size, rng):
    drawn = np.zeros(len(frame), dtype=bool)
    drawn[rng.choice(len(frame), size, replace=False)] = True
    return sampled(frame, drawn, size / len(frame))


def groups_drawn(frame, size, rng):
    names = frame["group"].unique()
    chosen = rng.choice(names, size, replace=False)
    return sampled(frame, frame["group"].isin(chosen).to_numpy(), size / len(names))


def share_of(found, label="yes", kind="share", **by):
    return next(
        e for e in found["estimates"] if e["kind"] == kind and e["label"] == label and e["by"] == by
    )


def test_people_alone_have_the_textbook_interval_of_a_simple_random_sample():
    frame = rows_drawn(corpus().assign(group=None), 100, np.random.default_rng(1))
    found = share_of(estimate(frame.drop(columns="predicted")))
    y = (frame["label"].dropna() == "yes").to_numpy(float)
    variance = (1 - 100 / 600) * y.var(ddof=1) / 100  # Cochran (1977), 2.19
    wilson = y.mean() * (1 - y.mean()) / variance
    t = 1.9842  # of 99 degrees of freedom
    z2 = t**2 / wilson
    ends = [
        (y.mean() + z2 / 2 + s * np.sqrt(z2 * y.mean() * (1 - y.mean()) + z2**2 / 4)) / (1 + z2)
        for s in (-1, 1)
    ]
    assert found["value"] == pytest.approx(y.mean())
    assert [found["low"], found["high"]] == pytest.approx(ends, abs=2e-4)


def test_a_trend_of_whole_groups_has_the_clustered_error_of_statsmodels():
    """Without a finite population (all probabilities tiny) and with many groups both are the same sandwich."""
    frame = corpus(n=3000, groups=400)
    frame = sampled(frame, np.ones(3000, dtype=bool), 1e-6)
    frame = pd.concat([frame, frame.assign(label=None, group=[f"other {i}" for i in range(3000)])])
    found = share_of(estimate(frame.drop(columns="predicted"), trend="day"), kind="trend")
    part = frame[frame["label"].notna()]
    fit = sm.OLS(
        (part["label"] == "yes").to_numpy(float), sm.add_constant(part["day"].to_numpy(float))
    ).fit(cov_type="cluster", cov_kwds={"groups": part["group"].to_numpy(int)})
    assert found["value"] == pytest.approx(fit.params[1])
    assert (found["high"] - found["low"]) / 2 == pytest.approx(1.966 * fit.bse[1], rel=0.02)


def test_over_all_samples_the_figure_is_unbiased_and_the_variance_right():
    """Enumerate every sample of 3 of 8 groups: people's mean is unbiased to the last digit where groups are equal."""
    frame = corpus(n=32, groups=8, seed=3).assign(group=np.repeat(np.arange(8), 4))
    truth = (frame["gold"] == "yes").mean()
    values = []
    for chosen in itertools.combinations(range(8), 3):
        drawn = frame["group"].isin(chosen).to_numpy()
        values.append(share_of(estimate(sampled(frame, drawn, 3 / 8)))["people_only"]["value"])
    assert np.mean(values) == pytest.approx(truth)


@pytest.mark.parametrize("right", [0.5, 0.8, 1.0])
def test_a_corpus_labelled_whole_gives_exact_figures(right):
    frame = corpus(right=right)
    found = estimate(sampled(frame, np.ones(600, dtype=bool), 1.0), by=["outlet"], trend="day")
    yes = frame["gold"] == "yes"
    share = share_of(found)
    assert share["value"] == share["low"] == share["high"] == pytest.approx(yes.mean())
    assert "exact" in share["reason"]
    for outlet in "AB":
        assert share_of(found, outlet=outlet)["value"] == pytest.approx(
            yes[frame["outlet"] == outlet].mean()
        )


def test_shares_of_all_labels_add_up_and_differences_have_two_signs():
    frame = rows_drawn(corpus(), 150, np.random.default_rng(5))
    found = estimate(frame.drop(columns="predicted"), by=["outlet"])
    assert share_of(found)["value"] + share_of(found, "no")["value"] == pytest.approx(1)
    a, b = (share_of(found, kind="difference", outlet=o) for o in "AB")
    assert a["value"] == pytest.approx(-b["value"])
    assert (a["versus"], b["versus"]) == ("B", "A")


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([rows_drawn, groups_drawn]))
def test_the_order_of_rows_and_the_names_of_groups_change_nothing(seed, draw):
    rng = np.random.default_rng(seed)
    frame = draw(corpus(n=200, groups=25, seed=seed), 20 if draw is groups_drawn else 60, rng)
    other = frame.sample(frac=1, random_state=seed).assign(
        group=lambda f: "g" + (f["group"] * 7).astype(str)
    )
    one, two = (estimate(f, by=["outlet"])["estimates"] for f in (frame, other))
    for a, b in zip(one, two, strict=True):
        for key in ("value", "low", "high"):
            assert (a[key] is None) == (b[key] is None)
            assert a[key] is None or a[key] == pytest.approx(b[key], abs=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.5, 1.0), st.sampled_from([rows_drawn, groups_drawn]))
def test_the_interval_is_never_wider_than_that_of_people_alone(seed, right, draw):
    rng = np.random.default_rng(seed)
    frame = draw(corpus(seed=seed, right=right), 20 if draw is groups_drawn else 100, rng)
    for one in estimate(frame, by=["outlet"], trend="day")["estimates"]:
        people = one["people_only"]
        if one["low"] is not None:
            assert one["high"] - one["low"] <= 1.05 * (people["high"] - people["low"])


@pytest.mark.parametrize("label", ["yes", "no"])
def test_no_interval_of_a_sample_has_width_zero(label):
    frame = corpus().assign(gold="yes", predicted="yes")
    frame.loc[0, "predicted"] = "no"
    frame = rows_drawn(frame, 50, np.random.default_rng(0))
    found = share_of(estimate(frame, labels=["no", "yes"]), label)
    assert 0.02 < found["high"] - found["low"] < 0.12


def test_without_probabilities_only_the_uncorrected_figure_is_given():
    frame = rows_drawn(corpus(), 50, np.random.default_rng(0)).drop(columns="inclusion_probability")
    found = estimate(frame)
    one = share_of(found)
    assert one["value"] is None and "no probability sample" in one["reason"]
    assert one["naive"] == pytest.approx((frame["predicted"] == "yes").mean())
    assert found["design"]["n_labelled_without_probability"] == 50


def test_how_the_sample_was_drawn_is_read_off_the_labels():
    rng = np.random.default_rng(2)
    assert estimate(groups_drawn(corpus(), 20, rng))["design"]["drawn"] == "groups"
    assert estimate(rows_drawn(corpus(), 200, rng))["design"]["drawn"] == "rows"
    frame = corpus()
    chosen = rng.choice(60, 15, replace=False)
    drawn = frame["group"].isin(chosen).to_numpy() & (rng.random(600) < 0.5)
    assert estimate(sampled(frame, drawn, 0.125))["design"]["drawn"] == "two_stage"


def test_the_package_gives_the_function_for_notebooks():
    frame = rows_drawn(corpus(), 100, np.random.default_rng(2))
    assert onrecord.estimate(frame, by="outlet") == estimate(frame, by=["outlet"])
    with pytest.raises(AttributeError, match="no attribute 'estimates'"):
        onrecord.estimates  # noqa: B018


def test_few_drawn_groups_have_no_interval_but_a_reason():
    found = share_of(estimate(groups_drawn(corpus(), 4, np.random.default_rng(0))))
    assert found["low"] is None and found["reason"] == "4 drawn groups, fewer than 6"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"inclusion_probability": 1.5}, "above 0 and at most 1", id="probability above 1"),
        pytest.param({"inclusion_probability": "often"}, "expected a number as inclusion_probability", id="no number"),
        pytest.param({"predicted": None}, "expected a predicted label in every row", id="no prediction"),
        pytest.param({"p_yes": 0.5}, "expected the column 'p_no'", id="one probability of two"),
        pytest.param({"p_yes": 0.5, "p_no": 7}, "expected probabilities from 0 to 1", id="no probability"),
        pytest.param({"label": "yes", "predicted": "yes"}, "expected two labels", id="one label"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_refused(change, complaint):
    frame = rows_drawn(corpus(), 50, np.random.default_rng(0)).assign(**change)
    with pytest.raises(BadInput, match=complaint):
        estimate(frame)


DESIGNS = {
    "sentences": lambda frame, rng: rows_drawn(frame, 200, rng),
    "whole articles": lambda frame, rng: groups_drawn(frame, 60, rng),
}


@pytest.mark.parametrize("design", DESIGNS)
def test_intervals_cover_what_the_corpus_holds(design):
    """300 samples of a corpus of 300 groups: 95 % of intervals hold the truth, within Monte Carlo error."""
    frame = corpus(n=2400, groups=300, seed=11)
    yes = (frame["gold"] == "yes").to_numpy(float)
    inside = (frame["outlet"] == "A").to_numpy()
    slope = np.polyfit(frame["day"], yes, 1)[0]
    truth = {
        "share": yes.mean(),
        "difference": yes[inside].mean() - yes[~inside].mean(),
        "trend": slope,
    }
    rng = np.random.default_rng(4)
    held = dict.fromkeys(truth, 0)
    narrower = []
    for _ in range(300):
        found = estimate(
            DESIGNS[design](frame, rng), by=["outlet"], trend="day", labels=["yes", "no"]
        )
        for kind, true in truth.items():
            by = {"outlet": "A"} if kind == "difference" else {}
            one = share_of(found, kind=kind, **by)
            held[kind] += one["low"] <= true <= one["high"]
            people = one["people_only"]
            narrower.append((one["high"] - one["low"]) / (people["high"] - people["low"]))
    for kind, times in held.items():
        assert 0.915 <= times / 300 <= 0.985, kind  # 0.95 and 2.8 Monte Carlo errors
    assert np.mean(narrower) < 0.95


def test_the_command_writes_figures_a_table_a_design_and_a_page(tmp_path, request):
    command = request.getfixturevalue("onrecord")
    rows_drawn(corpus(), 150, np.random.default_rng(5)).to_parquet(tmp_path / "rows.parquet")
    done = command(
        "estimate",
        f"rows={tmp_path}/rows.parquet",
        "by=outlet",
        "trend=day",
        f"workspace={tmp_path}/ws",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "ws/estimates.json").read_text())
    assert {e["kind"] for e in found["estimates"]} == {"share", "difference", "trend"}
    lines = (tmp_path / "ws/estimates.csv").read_text().splitlines()
    assert len(lines) == 1 + len(found["estimates"])
    assert (
        (tmp_path / "ws/design.csv")
        .read_text()
        .startswith("id,gold,prediction,probability,cluster")
    )
    page = (tmp_path / "ws/estimates.html").read_text()
    assert "What the correction did" in page and "people alone" in page
    assert (tmp_path / "ws/prevalence.json").read_text() == (
        tmp_path / "ws/estimates.json"
    ).read_text()


LABELS = ("favor", "against")


def campaign(folder, n=240, labelled=60):
    """Write a campaign of 40 articles whose run predicted its own sentences without error, but not out of fold."""
    workspace = Workspace(folder / "ws")
    rng = np.random.default_rng(9)
    article = [f"a{i // 6}" for i in range(n)]
    ids = [sentence_id(a, 10 * i, 10 * i + 5) for i, a in enumerate(article)]
    gold = [LABELS[int(x)] for x in rng.random(n) < 0.6]
    drawn = sorted(rng.choice(n, labelled, replace=False).tolist())
    sentences = [
        {"sentence_id": s, "article_id": a, "group_id": a, "index": i, "paragraph": 0, "start": 10 * i,
         "end": 10 * i + 5, "text": "Yes.", "furniture": None}
        for i, (s, a) in enumerate(zip(ids, article, strict=True))
    ]  # fmt: skip
    write_parquet(workspace.sentences, sentences, SENTENCES)
    articles = [dict.fromkeys(ARTICLES.names) | {"article_id": a, "outlet": "AB"[i % 2], "published": f"2024-0{1 + i % 9}-01"}
                for i, a in enumerate(dict.fromkeys(article))]  # fmt: skip
    write_parquet(workspace.articles, articles, ARTICLES)
    write_parquet(
        workspace.speakers,
        [dict.fromkeys(SPEAKERS.names) | {"sentence_id": s} for s in ids],
        SPEAKERS,
    )
    wrong = rng.random(n) < 0.25
    honest = [LABELS[1 - LABELS.index(g)] if w else g for g, w in zip(gold, wrong, strict=True)]
    shown = [
        gold[i] if i in drawn else honest[i] for i in range(n)
    ]  # a model that has seen its training rows
    (folder / "run").mkdir()
    for path, rows, said in (
        (workspace.predictions, range(n), shown),
        (folder / "run/out_of_fold.parquet", drawn, honest),
    ):
        table = {"id": [ids[i] for i in rows], "predicted": [said[i] for i in rows]}
        table |= {name: [float(said[i] == name) for i in rows] for name in LABELS}
        pq.write_table(pa.table(table), path)
    source = {
        "run": "x",
        "question": "stance",
        "target": "t",
        "origin": "people",
        "folder": str(folder / "run"),
    }
    write_json(workspace.predictions_source, source)
    write_jsonl(workspace.gold, [
        {"sentence_id": ids[i], "target_id": "t", "labels": {"stance": gold[i]}, "soft": {}, "decided_by": {}, "n_annotators": 1}
        for i in drawn[5:]
    ])  # fmt: skip
    write_jsonl(workspace.plan, [
        {"task_id": str(i), "sentence_id": ids[i], "annotator": "ada", "round": "main", "position": i,
         "purpose": "main", "suggestion_shown": True, "inclusion_probability": labelled / n}
        for i in drawn
    ])  # fmt: skip
    return workspace, gold


def test_a_campaigns_own_sentences_count_with_the_predictions_made_out_of_fold(tmp_path, onrecord):
    workspace, gold = campaign(tmp_path)
    done = onrecord("estimate", "by=outlet", "trend=published", f"workspace={workspace.folder}")
    assert done.returncode == 0, done.stderr
    found = json.loads(workspace.estimates.read_text())
    assert found["design"]["n_labelled"] == 55  # five drawn sentences have no gold
    share = share_of(found, "favor")
    assert share["low"] < np.mean([g == "favor" for g in gold]) < share["high"]
    # Were the model's own training rows taken at their word, it would look without error and the interval shrink.
    assert share["high"] - share["low"] > 0.1
    (tmp_path / "run/out_of_fold.parquet").unlink()
    (tmp_path / "run").rmdir()
    gone = onrecord("estimate", f"workspace={workspace.folder}")
    assert gone.returncode == 2 and "run `onrecord predict` again" in gone.stderr
