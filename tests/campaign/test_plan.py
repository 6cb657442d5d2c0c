"""Who annotates what: balanced, hidden, drawn with known chances, and the same for the same seed."""

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.campaign import plan
from onrecord.campaign.plan import (
    Design,
    annotator_names,
    read_probabilities,
    reserve_known,
    sample,
    to_annotate,
)
from onrecord.campaign.planning.assignment import assign, insert_repeats, task_id
from onrecord.campaign.planning.sampling import (
    group_sample,
    inclusion,
    random_sample,
    stratified_sample,
    uncertainty_sample,
)
from onrecord.campaign.planning.workload import plan_page, predict_interval
from onrecord.cli.app import main
from onrecord.core.errors import BadInput
from onrecord.core.files import check_row, read_jsonl
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS, PlanRow
from onrecord.core.tables import write_parquet

SENTENCES_40 = [f"a{i // 10}:{i}-{i + 1}" for i in range(40)]


def plan_rows(chosen, design, **more):
    return plan.plan_rows(chosen, design, sha256_of=SAME_TEXT, **more)


SAME_TEXT = defaultdict(lambda: "0" * 64)
ALL = dict.fromkeys(SENTENCES_40, 1.0)


def test_everyone_annotates_everything_in_the_articles_order():
    rows = plan_rows(ALL, Design(("annotator-1", "annotator-2"), overlap=2))
    assert [r["sentence_id"] for r in rows] == SENTENCES_40 * 2
    assert [r["position"] for r in rows] == list(range(1, 41)) * 2
    assert len({r["task_id"] for r in rows}) == 80
    for row in rows:
        check_row(row, PlanRow, "row")


designs = st.builds(
    lambda n, k, **rest: Design(tuple(annotator_names(n)), min(k, n), **rest),
    st.integers(1, 7),
    st.integers(1, 7),
    overlap_share=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    order=st.sampled_from(["articles", "shuffled"]),
    control_share=st.sampled_from([0.0, 0.25]),
    repeats_share=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 99),
)


@settings(deadline=None)
@given(designs, st.integers(1, 40), st.integers(0, 5))
def test_a_plan_is_balanced_exact_and_repeatable(design, size, n_checks):
    ids, checks = SENTENCES_40[:size], [f"c:{i}-{i + 1}" for i in range(n_checks)]
    rows = plan_rows(dict.fromkeys(ids, 1.0), design, checks=checks)
    assert rows == plan_rows(dict.fromkeys(ids, 1.0), design, checks=checks)
    assert len({r["task_id"] for r in rows}) == len(rows)
    main = [r for r in rows if r["purpose"] == "main"]
    loads = Counter(r["annotator"] for r in main)
    assert max(loads.values()) - min(loads[a] for a in design.annotators) <= 1
    times = Counter(r["sentence_id"] for r in main)
    assert set(times) == set(ids)
    assert set(times.values()) <= {1, design.overlap}
    if design.overlap > 1:
        assert sum(k > 1 for k in times.values()) == round(design.overlap_share * size)
    for annotator in design.annotators:
        mine = [r for r in rows if r["annotator"] == annotator]
        assert [r["position"] for r in mine] == list(range(1, len(mine) + 1))
        assert sum(r["purpose"] == "check" for r in mine) == n_checks
        places = {r["sentence_id"]: r["position"] for r in mine if r["purpose"] == "main"}
        for repeat in (r for r in mine if r["purpose"] == "repeat"):
            assert repeat["position"] > places[repeat["sentence_id"]]


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 60))
def test_neighbours_share_so_that_nobody_works_apart(n, k, size):
    names, k = annotator_names(n), min(k, n)
    given_ = assign(SENTENCES_40[:size], names, k)
    met = {names[0]}
    for _ in names:
        met |= {b for a in met for b in names if set(given_[a]) & set(given_[b])}
    if k > 1 and size >= n:
        assert met == set(names)


def test_checks_stand_in_their_articles_places():
    places = {s: i for i, s in enumerate(SENTENCES_40)}
    checks = SENTENCES_40[5:40:11]
    chosen = {s: 1.0 for s in SENTENCES_40 if s not in checks}
    rows = plan_rows(chosen, Design(("a", "b"), 2), checks=checks, places=places)
    assert [r["sentence_id"] for r in rows if r["annotator"] == "a"] == SENTENCES_40
    keys = {r["purpose"]: set(r) for r in rows}
    assert keys["check"] == keys["main"]


def test_repeats_come_in_the_later_half_of_the_same_annotator():
    sequence = insert_repeats(SENTENCES_40, SENTENCES_40, 8, "seed")
    again = [i for i, (_, occurrence) in enumerate(sequence) if occurrence]
    assert len(again) == 8
    assert min(again) >= 20
    assert {sequence[i][0] for i in again} <= set(SENTENCES_40[:20])


def test_the_control_arm_is_a_random_share_without_suggestions():
    rows = plan_rows(ALL, Design(("a", "b", "c"), 3, control_share=0.25))
    bare = {
        a: {r["sentence_id"] for r in rows if r["annotator"] == a and not r["suggestion_shown"]}
        for a in "abc"
    }
    assert [len(b) for b in bare.values()] == [10, 10, 10]
    assert len(set(map(frozenset, bare.values()))) == 3


def test_a_task_keeps_its_key_when_the_plan_grows():
    before = {
        r["task_id"] for r in plan_rows(dict.fromkeys(SENTENCES_40[:20], 1.0), Design(("a",), 1))
    }
    after = {r["task_id"] for r in plan_rows(ALL, Design(("a", "b"), 2))}
    assert before < after
    assert task_id("main", "a", "b:0-1", "") != task_id("main", "a", "b:0-1", "", 1)


def test_a_sentence_whose_text_has_changed_is_a_new_task_and_no_other_is():
    before = plan_rows(ALL, Design(("a", "b"), 2))
    changed = SAME_TEXT | {SENTENCES_40[3]: "1" * 64}
    after = plan.plan_rows(ALL, Design(("a", "b"), 2), sha256_of={s: changed[s] for s in ALL})
    kept = {r["task_id"] for r in before} & {r["task_id"] for r in after}
    assert {r["sentence_id"] for r in after if r["task_id"] not in kept} == {SENTENCES_40[3]}


def test_a_sample_grows_into_a_larger_one():
    small, large = (set(random_sample(SENTENCES_40, n, seed=3)) for n in (10, 20))
    assert small < large


def test_strata_have_their_share():
    strata = ["big"] * 30 + ["small"] * 10
    chosen = stratified_sample(SENTENCES_40, strata, 12, seed=1)
    assert Counter(strata[SENTENCES_40.index(s)] for s in chosen) == {"big": 9, "small": 3}
    assert set(chosen.values()) == {0.3}


def test_every_stratum_can_be_drawn_and_each_sentence_as_often_as_it_says():
    """Ten strata and four seats: largest remainders would never reach most of them."""
    strata = [str(i // 4) for i in range(40)]
    times: Counter[str] = Counter()
    for seed in range(2000):
        chosen = stratified_sample(SENTENCES_40, strata, 4, seed)
        assert len(chosen) == 4
        assert set(chosen.values()) == {0.1}
        times.update(chosen.keys())
    for sentence in SENTENCES_40:
        assert times[sentence] / 2000 == pytest.approx(0.1, abs=0.025)


def test_whole_groups_are_drawn_each_as_likely_as_any_other():
    groups = [f"g{i // 4}" for i in range(40)]
    times: Counter[str] = Counter()
    for seed in range(2000):
        chosen = group_sample(SENTENCES_40, groups, 12, seed)
        assert {groups.count(groups[SENTENCES_40.index(s)]) for s in chosen} == {4}
        assert len(chosen) == 12
        assert set(chosen.values()) == {0.3}
        times.update(chosen.keys())
    for sentence in SENTENCES_40:
        assert times[sentence] / 2000 == pytest.approx(0.3, abs=0.035)


@given(st.lists(st.floats(0, 5), min_size=2, max_size=30), st.data())
def test_inclusion_probabilities_add_up_to_the_size(weights, data):
    size = data.draw(st.integers(1, len(weights)))
    chances = inclusion(np.array(weights), size)
    assert chances.sum() == pytest.approx(size)
    assert chances.max() <= 1 + 1e-9
    assert chances.min() > 0


def test_a_sample_by_uncertainty_includes_each_sentence_as_often_as_it_says():
    ids = [f"a:{i}-{i + 1}" for i in range(12)]
    chances = {s: [0.5 + i / 24, 0.5 - i / 24] for i, s in enumerate(ids)}
    times: Counter[str] = Counter()
    for seed in range(3000):
        chosen = uncertainty_sample(ids, chances, 4, seed)
        assert len(chosen) == 4
        times.update(chosen.keys())
    wanted = {
        s: p for seed in range(200) for s, p in uncertainty_sample(ids, chances, 4, seed).items()
    }
    for sentence, probability in wanted.items():
        assert times[sentence] / 3000 == pytest.approx(probability, abs=0.04)


def test_the_expected_width_is_that_of_simulated_campaigns():
    """The formula against alphas computed on simulated independent tasks (no outside source)."""
    n, k, labels, alpha = 200, 3, 4, 0.7
    right = 1 / labels + np.sqrt(alpha) * (1 - 1 / labels)
    rng = np.random.default_rng(1)
    found = []
    for _ in range(400):
        truth = rng.integers(0, labels, n)[:, None]
        wrong = rng.random((n, k)) > right
        answers = np.where(wrong, (truth + rng.integers(1, labels, (n, k))) % labels, truth)
        counts = np.stack([(answers == c).sum(1) for c in range(labels)], 1)
        observed = 1 - (counts * (counts - 1)).sum() / (n * k * (k - 1))
        totals = counts.sum(0)
        expected = 1 - (totals * (totals - 1)).sum() / (n * k * (n * k - 1))
        found.append(1 - observed / expected)
    assert np.mean(found) == pytest.approx(alpha, abs=0.01)
    low, high = predict_interval([1] * n, k, alpha=alpha)
    assert (high - low) / 2 == pytest.approx(1.97 * np.std(found), rel=0.1)


def test_the_page_says_who_how_long_and_how_wide():
    design = Design(("a", "b", "c"), 3, overlap_share=0.5, checks_share=0.1)
    rows = plan_rows(ALL, design, checks=["c:0-1"])
    page = plan_page(rows, title="T", seconds_per_task=36, group_of={s: s for s in ALL}, alpha=0.7)
    assert "| a | 27 | 1 | 0 | 28 | 0.3 |" in page
    assert "| all | 80 | 3 | 0 | 83 | 0.8 |" in page
    assert "20 sentences by 3 annotators each" in page
    assert "95 % interval of about [0." in page
    lines = ["alpha's interval will be about 0.18 wide"]
    page = plan_page(
        rows,
        title="T",
        seconds_per_task=36,
        group_of={s: s for s in ALL},
        alpha=0.7,
        predicted=lines,
    )
    assert "0.18 wide" in page
    assert "assumed" not in page
    alone = plan_rows(ALL, Design(("a", "b"), 1))
    assert "cannot be measured" in plan_page(
        alone, title="T", seconds_per_task=30, group_of={}, alpha=0.7
    )


def test_furniture_is_left_out_unless_sent():
    rows = [
        {"sentence_id": "a:0-1", "furniture": "byline"},
        {"sentence_id": "a:2-3", "furniture": None},
    ]
    assert to_annotate(rows, send_furniture=False) == ["a:2-3"]
    assert to_annotate(rows, send_furniture=True) == ["a:0-1", "a:2-3"]


@pytest.mark.parametrize("annotators", [0, [], ["a", "a"], ["a b"], [""], -1])
def test_annotators_without_a_plain_name_of_their_own_are_refused(annotators):
    with pytest.raises(BadInput, match="annotators: expected"):
        annotator_names(annotators)


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(BadInput, match="overlap: expected 1 to 2"):
        plan_rows(ALL, Design(("a", "b"), 3))
    with pytest.raises(BadInput, match="need 5 sentences whose answers are known, found 1"):
        reserve_known(SENTENCES_40, SENTENCES_40[:1], Design(("a",), 1, qualification_tasks=5), 40)
    with pytest.raises(BadInput, match="expected predictions=FILE"):
        sample(
            SENTENCES_40,
            budget=3,
            sampling="uncertainty",
            strata={},
            groups={},
            probabilities=None,
            seed=0,
        )
    with pytest.raises(BadInput, match="none for a0:0-1 and 39 more"):
        uncertainty_sample(SENTENCES_40, {}, 3, 0)


@pytest.fixture
def workspace(tmp_path):
    text = "".join(f"Sentence {i:02d}. " for i in range(30))
    articles = [
        {"article_id": f"a{n}", "outlet": f"outlet {n % 2}", "title": "", "byline": "", "published": "2026-01-02",
         "url": "", "text": text, "sha256": "", "group_id": f"g{n}", "copy_of": None, "furniture": [], "source_file": ""}
        for n in range(4)
    ]  # fmt: skip
    sentences = [
        {"sentence_id": f"a{n}:{13 * i}-{13 * i + 12}", "article_id": f"a{n}", "group_id": f"g{n}", "index": i,
         "paragraph": 0, "start": 13 * i, "end": 13 * i + 12, "text": f"Sentence {i:02d}.", "furniture": None}
        for n in range(4) for i in range(30)
    ]  # fmt: skip
    write_parquet(tmp_path / "articles.parquet", articles, ARTICLES)
    write_parquet(tmp_path / "sentences.parquet", sentences, SENTENCES)
    write_parquet(tmp_path / "speakers.parquet", [], SPEAKERS)
    return tmp_path


def test_the_verb_plans_a_whole_campaign(workspace, capsys):
    known = workspace / "known.jsonl"
    known.write_text(
        "".join(
            f'{{"sentence_id": "a0:{13 * i}-{13 * i + 12}", "labels": {{}}}}\n' for i in range(30)
        )
    )
    words = [
        f"workspace={workspace}", f"known={known}", "qualification.tasks=5", "qualification.tries=2",
        "checks_share=0.1", "repeats_share=0.1", "control_share=0.2", "overlap_share=0.25", "budget=60",
        "sampling=stratified",
    ]  # fmt: skip
    assert main(["plan", *words]) == 0
    assert "about 1.1 hours" in capsys.readouterr().out
    rows = read_jsonl(workspace / "plan.jsonl", PlanRow)
    purposes = Counter(r["purpose"] for r in rows)
    assert purposes == {"main": 90, "qualification": 30, "check": 9, "repeat": 9}
    assert {r["round"] for r in rows} == {"qualification", "qualification-2", "main"}
    chances = {r["sentence_id"]: r["inclusion_probability"] for r in rows if r["purpose"] == "main"}
    assert len(chances) == 60
    assert sum(1 / p for p in chances.values()) == pytest.approx(120 - 10 - 3)
    assert "fewer than 10: no interval will be given" in (workspace / "plan.md").read_text()
    first = (workspace / "plan.jsonl").read_bytes()
    assert main(["plan", *words]) == 0
    assert (workspace / "plan.jsonl").read_bytes() == first
    assert main(["plan", f"workspace={workspace}", "seed=7", "order=shuffled"]) == 0
    assert (workspace / "plan.jsonl").read_bytes() != first


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("overlap=4", "overlap: expected 1 to 3"),
        ("checks_share=1.5", "expected a share between 0 and 1"),
        ("checks_share=0.1", "answers are known, found 0"),
        ("budget=0", "budget: expected a number of sentences"),
        ("order=random", "order: expected one of articles, shuffled"),
        ("qualification.tries=0", "qualification.tries: expected a whole number"),
        ("annotators=[a,a]", "annotators: expected"),
        ("overlpa=2", "did you mean 'overlap'"),
    ],
)
def test_a_plan_that_cannot_be_is_one_clear_line(workspace, capsys, word, complaint):
    assert main(["plan", f"workspace={workspace}", word]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert len(said.strip().splitlines()) == 1
    assert not (workspace / "plan.jsonl").exists()


def test_probabilities_are_the_float_columns_of_predictions(tmp_path):
    schema = pa.schema(
        [("id", pa.string()), ("predicted", pa.string()), ("x", pa.float64()), ("y", pa.float64())]
    )
    path = tmp_path / "predictions.parquet"
    write_parquet(path, [{"id": "a:0-1", "predicted": "x", "x": 0.75, "y": 0.25}], schema)
    assert read_probabilities(path) == {"a:0-1": [0.75, 0.25]}
