"""Annotators, drift, anchoring and sample size, on answers made by annotators of known skill."""

import numpy as np
import pytest

from onrecord.campaign.agreement import annotator_quality, drift
from onrecord.campaign.agreement.confusions import costs
from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import coefficient, counts_of, identical_annotators
from onrecord.campaign.planning.sample_size import (
    alpha_precision,
    predict_precision,
    read_pilot,
    sample_size,
)
from onrecord.core.errors import BadInput

LABELS = ["against", "favor", "neutral"]


def made(skills, *, tasks=400, per_group=8, seed=0, labels=LABELS, names=None):
    """Answers of annotators who give the true label with the chance of their skill, else any label."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, len(labels), tasks)
    votes = np.array(
        [
            np.where(generator.random(tasks) < s, truth, generator.integers(0, len(labels), tasks))
            for s in skills
        ]
    )
    who, what = np.divmod(np.arange(votes.size), tasks)
    names = names or [f"a{i}" for i in range(len(skills))]
    return Answers(
        what, who, votes.ravel(), [f"t{i}" for i in range(tasks)], names, list(labels),
        np.arange(tasks) // per_group,
    )  # fmt: skip


def test_models_rank_annotators_by_their_skill_whatever_order_they_come_in():
    skills = [0.95, 0.2, 0.7, 0.5]
    answers = made(skills, names=["d", "a", "c", "b"])
    order = np.random.default_rng(1).permutation(len(answers.task))
    mixed = Answers(
        answers.task[order], answers.annotator[order], answers.label[order], answers.tasks,
        answers.annotators, answers.labels, answers.group,
    )  # fmt: skip
    for given in (answers, mixed):
        found = annotator_quality.annotator_models(given)
        for model in ("dawid_skene", "mace"):
            assert sorted(found, key=lambda a: -found[a][model]) == ["d", "c", "b", "a"], model
        assert found["d"]["mace"] == pytest.approx(0.95, abs=0.06)


def test_agreement_with_the_rest_and_bias_find_who_stands_apart():
    answers = made([0.9, 0.9, 0.9])
    leaning = answers.label.copy()
    third = answers.annotator == 2
    leaning[third & (answers.task % 3 == 0)] = LABELS.index("favor")
    apart = Answers(**{**vars(answers), "label": leaning})
    rest = annotator_quality.agreement_with_rest(apart)
    assert rest["a2"]["high"] < rest["a0"]["low"]
    assert annotator_quality.label_bias(apart)["a2"]["favor"]["low"] > 0.1
    assert abs(annotator_quality.label_bias(answers)["a2"]["favor"]["value"]) < 0.05


def row(annotator, sentence, stance, seconds=10.0, shown=True):
    return {
        "annotator": annotator, "sentence_id": sentence, "labels": {"stance": stance, "speaker": stance},
        "seconds": seconds, "suggestion_shown": shown,
    }  # fmt: skip


def test_known_answers_repeats_and_pace():
    main = [row("a", f"s{i}", "favor", 10 + i % 3) for i in range(40)] + [
        row("a", "x", "favor", 0.2)
    ]
    known = {"s0": {"stance": "favor"}, "s1": {"stance": "none"}}
    assert annotator_quality.check_scores(main, known)["a"]["stance"] == {"value": 0.5, "n": 2}
    again = [row("a", "s0", "favor"), row("a", "s1", "none"), row("b", "s2", "none")]
    assert annotator_quality.consistency(again, main)["a"]["stance"] == {"value": 0.5, "n": 2}
    assert annotator_quality.pace(main)["a"]["too_fast"] == 1
    assert annotator_quality.pace([row("a", "s", "favor", None)]) == {}


def test_drift_is_found_where_there_is_some_and_only_there():
    answers = made([0.95, 0.95, 0.95], tasks=800)
    label = answers.label.copy()
    late = (answers.annotator == 1) & (answers.task >= 400)
    label[late] = np.where(np.arange(late.sum()) % 3 == 0, (label[late] + 1) % 3, label[late])
    drifting = Answers(**{**vars(answers), "label": label})
    found = drift.over_time(drifting, [f"{t:05d}" for t in drifting.task])
    assert found["a1"]["high"] < -0.1
    assert drift.over_time(answers, [f"{t:05d}" for t in answers.task])["a1"]["high"] > 0


def test_anchoring_is_the_difference_between_the_arms():
    generator = np.random.default_rng(0)
    suggestions = {f"s{i}": {"speaker": "favor", "speaker_name": None} for i in range(600)}
    groups = {f"s{i}": f"g{i // 10}" for i in range(600)}
    rows = []
    for i in range(600):
        shown = bool(i % 2)
        follows = generator.random() < (0.8 if shown else 0.6)
        rows.append(
            row("a", f"s{i}", "favor" if follows else "none", 8.0 if shown else 12.0, shown)
        )
    found = drift.anchoring(rows, suggestions, groups)
    assert found["agreement"]["speaker"]["low"] < 0.2 < found["agreement"]["speaker"]["high"]
    assert found["agreement"]["speaker"]["low"] > 0
    assert found["seconds"]["value"] == pytest.approx(-4)
    assert "no control arm" in drift.anchoring([r | {"suggestion_shown": True} for r in rows], suggestions, groups)["reason"]  # fmt: skip


@pytest.mark.parametrize("per_group", [1, 8])
def test_the_predicted_width_is_that_of_the_bootstrap(per_group):
    answers = made([0.8, 0.8, 0.7], tasks=800, per_group=per_group)
    found = coefficient(answers, level="nominal")
    pilot = read_pilot(answers)
    wide = pilot.alpha.width(800, per_group)
    assert wide == pytest.approx(found["high"] - found["low"], rel=0.06)
    assert pilot.alpha.width(3200, per_group) == pytest.approx(wide / 2, rel=0.05)
    needed = pilot.alpha.tasks_for(wide / 2, per_group)
    assert (
        pilot.alpha.width(needed, per_group) <= wide / 2 < pilot.alpha.width(needed - 1, per_group)
    )


def test_no_degenerate_number_of_tasks_is_given():
    """Every task has each label once: their shares have no spread, and 0 tasks are not enough for anything."""
    votes = np.array([[i % 3, (i + 1) % 3, (i + 2) % 3] for i in range(60)]).T
    who, what = np.divmod(np.arange(180), 60)
    answers = Answers(
        what, who, votes.ravel(), [str(t) for t in range(60)], list("abc"), LABELS, np.arange(60) // 4
    )  # fmt: skip
    assert read_pilot(answers).labels == {}
    skilled = sample_size(made([0.99, 0.99, 0.99]), width=0.9)
    assert (
        min(*skilled["needed"].values(), *skilled["needed_per_label"].values()) >= 80
    )  # ten groups


def test_a_pilot_predicts_the_width_that_similar_campaigns_show():
    """Clustered by article: the spread of alpha over 200 campaigns against what one pilot predicts."""

    def campaign(seed, articles):
        generator = np.random.default_rng(seed)
        hard = np.repeat(
            generator.beta(4, 2, articles), 10
        )  # an article is easy or hard as a whole
        truth = generator.integers(0, 3, articles * 10)
        votes = [
            np.where(generator.random(len(hard)) < hard, truth, generator.integers(0, 3, len(hard)))
            for _ in range(3)
        ]
        counts = np.stack([(np.array(votes) == k).sum(axis=0) for k in range(3)], axis=1)
        return counts.astype(float), np.repeat(np.arange(articles), 10)

    def alpha_of(counts):
        pairs = (9 - (counts**2).sum(axis=1)).sum() / 2
        m = counts.sum(axis=0)
        return 1 - (m.sum() - 1) * pairs / (m.sum() ** 2 - (m**2).sum())

    shown = np.std([alpha_of(campaign(seed, 60)[0]) for seed in range(200)])
    predicted = [alpha_precision(*campaign(seed, 40)).error(600, 10) for seed in range(900, 910)]
    assert np.mean(predicted) == pytest.approx(shown, rel=0.15)


def test_fewer_annotators_a_task_widen_the_interval():
    answers = made([0.8] * 5, tasks=600)
    widths = [read_pilot(answers, annotators=m).alpha.width(600, 8) for m in (2, 3, 5)]
    assert widths == sorted(widths, reverse=True)


def test_the_cost_of_a_confusion_is_what_settling_it_gives():
    answers = made([0.8, 0.8], tasks=500)
    counts = counts_of(answers)
    costliest = costs(answers)[0]
    i, j = (LABELS.index(label) for label in costliest["labels"])
    apart = (counts[:, i] == 1) & (counts[:, j] == 1)
    before = coefficient(answers, level="nominal")["alpha"]
    m = counts.sum(axis=0)
    gain = (m.sum() - 1) * 2 * apart.sum() / (m.sum() ** 2 - (m**2).sum())
    assert costliest["cost"] == pytest.approx(gain)
    assert costliest["n_tasks"] == apart.sum()
    assert before + sum(row["cost"] for row in costs(answers, 99)) == pytest.approx(1.0)


def test_identical_annotators_are_distinguished_from_merely_good_ones():
    answers = made([0.9, 0.9, 0.9])
    copy = answers.label.copy()
    copy[answers.annotator == 1] = copy[answers.annotator == 0]
    pairs = identical_annotators({"q": Answers(**{**vars(answers), "label": copy})})
    assert [t["pair"] for t in pairs] == [["a0", "a1"]]
    assert identical_annotators({"q": answers}) == []


def test_a_pilot_in_the_plan_predicts_widths_and_one_that_cannot_is_refused(tmp_path):
    def pilot(answers):
        path = tmp_path / f"{len(answers.tasks)}.csv"
        lines = [
            f"{answers.tasks[t]},{answers.annotators[a]},{answers.labels[k]},{answers.group[t]}"
            for t, a, k in zip(answers.task, answers.annotator, answers.label, strict=True)
        ]
        path.write_text("\n".join(["task,annotator,label,group", *lines]) + "\n")
        return path

    answers = made([0.8, 0.8, 0.8], tasks=400)
    (line,) = predict_precision(pilot(answers), [8] * 50, annotators=3, width=0.05, seed=1)
    alpha = read_pilot(answers).alpha
    assert f"will be about {alpha.width(400, 8):.2f} wide" in line
    assert f"{alpha.tasks_for(0.05, 8):,} sentences for alpha" in line
    with pytest.raises(BadInput, match="5 groups, fewer than 10"):
        predict_precision(
            pilot(made([0.8] * 3, tasks=40)), [8] * 50, annotators=3, width=0.05, seed=1
        )
