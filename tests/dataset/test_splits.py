"""Splits: whole groups, near the shares, seeded, and kept when articles are added."""

import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.cli.app import main
from onrecord.core.errors import BadInput
from onrecord.dataset.splitting import strategies

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}


def rows(n_groups: int, seed: int = 1) -> tuple[list[str], list[str]]:
    draw = random.Random(seed)
    groups, labels = [], []
    for g in range(n_groups):
        for _ in range(draw.randint(1, 12)):
            groups.append(f"g{g}")
            labels.append(draw.choices(["a", "b", "c"], [6, 3, 1])[0])
    return groups, labels


def test_sizes_and_labels_come_near_the_shares():
    groups, labels = rows(300)
    found = strategies.by_group(groups, labels, shares=SHARES, seed=1)
    for label in (None, "a", "b", "c"):
        parts = Counter(found[g] for g, x in zip(groups, labels, strict=True) if label in (None, x))
        for split, share in SHARES.items():
            assert parts[split] / parts.total() == pytest.approx(share, abs=0.02)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xy")), min_size=1), st.integers(0, 9))  # fmt: skip
def test_every_group_has_one_split_and_none_is_empty_where_it_need_not_be(pairs, seed):
    groups, labels = [g for g, _ in pairs], [x for _, x in pairs]
    found = strategies.by_group(groups, labels, shares=SHARES, seed=seed)
    assert set(found) == set(groups)
    assert len(set(found.values())) == min(3, len(set(groups)))
    assert found == strategies.by_group(groups[::-1], labels[::-1], shares=SHARES, seed=seed)


@given(st.integers(2, 9), st.integers(0, 5))
def test_folds_are_even_and_a_group_is_in_one(k, seed):
    groups, labels = rows(60, seed)
    found = strategies.kfold(groups, labels, k=k, seed=seed)
    sizes = Counter(found[g] for g in groups)
    assert set(sizes) == set(range(k))
    assert max(sizes.values()) - min(sizes.values()) <= 12


def test_what_was_assigned_stays_when_groups_are_added():
    groups, labels = rows(40)
    before = strategies.by_group(groups, labels, shares=SHARES, seed=1)
    more, more_labels = rows(60)
    after = strategies.by_group(more, more_labels, shares=SHARES, seed=1, kept=before)
    assert {g: after[g] for g in before} == before
    parts = Counter(after[g] for g in more)
    assert parts["test"] / parts.total() == pytest.approx(0.15, abs=0.05)


def test_another_seed_is_another_split():
    groups = [f"g{i}" for i in range(50)]
    one, other = (strategies.by_group(groups, ["x"] * 50, shares=SHARES, seed=s) for s in (1, 2))
    assert one != other


@given(st.lists(st.tuples(st.sampled_from("abcdefghij"), st.integers(1, 28)), min_size=12))
def test_by_date_nothing_in_train_is_newer_than_what_is_held_out(pairs):
    groups, dates = [g for g, _ in pairs], [f"2026-01-{d:02}" for _, d in pairs]
    newest = {g: max(d for h, d in zip(groups, dates, strict=True) if h == g) for g in groups}
    try:
        found = strategies.by_date(groups, dates, shares=SHARES)
    except BadInput as error:
        assert "would be empty" in str(error)
        return
    last = {s: max(newest[g] for g in newest if found[g] == s) for s in SHARES}
    first = {s: min(newest[g] for g in newest if found[g] == s) for s in SHARES}
    assert last["train"] < first["validation"]
    assert last["validation"] < first["test"]


def test_by_date_new_articles_fall_between_the_cuts():
    groups = [f"g{i}" for i in range(10)]
    dates = [f"2026-01-{10 + i}" for i in range(10)]
    before = strategies.by_date(groups, dates, shares=SHARES)
    new = {"early": "2026-01-01", "late": "2026-03-01"}
    after = strategies.by_date([*groups, *new], [*dates, *new.values()], shares=SHARES, kept=before)
    assert {g: after[g] for g in before} == before
    assert (after["early"], after["late"]) == ("train", "test")


def test_by_date_follows_the_days_given():
    found = strategies.by_date(["a", "b", "c"], ["2026-01-01", "2026-01-02", "2026-02-01"], shares=SHARES,
                           train_until="2026-01-01", validation_until="2026-01-31")  # fmt: skip
    assert found == {"a": "train", "b": "validation", "c": "test"}


def test_by_outlet_no_outlet_is_in_two_splits():
    groups, labels = rows(80)
    outlets = [f"o{int(g[1:]) % 9}" for g in groups]
    found = strategies.by_outlet(groups, outlets, labels, shares=SHARES, seed=1)
    homes = {o: {found[g] for g, p in zip(groups, outlets, strict=True) if p == o} for o in set(outlets)}  # fmt: skip
    assert all(len(home) == 1 for home in homes.values())
    assert set.union(*homes.values()) == set(SHARES)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        pytest.param(lambda: strategies.by_date(["a"], [None], shares=SHARES), "has no date", id="no date"),
        pytest.param(lambda: strategies.by_date(["a"], ["May"], shares=SHARES), "found 'May'", id="no such date"),
        pytest.param(lambda: strategies.by_date(["a", "b"], ["2026-01-01"] * 2, shares=SHARES), "would be empty", id="one day"),
        pytest.param(lambda: strategies.by_date(["a", "b"], ["2026-01-01", "2026-01-09"], shares=SHARES, train_until="2026-02-01", validation_until="2026-01-01"), "is after", id="cuts crossed"),
        pytest.param(lambda: strategies.by_outlet(["a"], [None], ["x"], shares=SHARES, seed=1), "has no outlet", id="no outlet"),
        pytest.param(lambda: strategies.by_outlet(["a"], ["X"], ["x"], shares=SHARES, seed=1), "expected 3 among the outlets", id="few outlets"),
        pytest.param(lambda: strategies.by_outlet(["a"] * 3, ["X", "Y", "Z"], ["x"] * 3, shares=SHARES, seed=1, held_out={"test": ["W"]}), "expected W", id="unknown outlet"),
        pytest.param(lambda: strategies.by_group(["a"], ["x"], shares={"train": 0}, seed=1), "positive share", id="shares"),
        pytest.param(lambda: strategies.kfold(["a"], ["x"], k=None, seed=1), "at least two groups, found 1", id="one group"),
        pytest.param(lambda: strategies.fixed(["test"], "rows"), "no row is declared train", id="no train"),
    ],
)  # fmt: skip
def test_a_split_that_cannot_be_made_is_refused(call, complaint):
    with pytest.raises(BadInput, match=complaint):
        call()


PEOPLE = "campaign.origin=people"


def parts(workspace) -> dict[str, str]:
    lines = (workspace / "assignments.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["article_id"]: row["part"] for row in map(json.loads, lines)}


def test_an_article_keeps_its_split_when_others_come_and_go(stories, write_workspace, tmp_path):
    ws = write_workspace(
        tmp_path / "ws", {k: v for k, v in stories.items() if k not in ("f1", "g1")}
    )
    assert main(["build", f"workspace={ws}", PEOPLE]) == 0
    before = parts(ws)
    write_workspace(ws, {k: v for k, v in stories.items() if k != "c1"})
    assert main(["build", f"workspace={ws}", PEOPLE]) == 0
    assert {a: parts(ws)[a] for a in before} == before  # c1, gone for now, is remembered
    write_workspace(ws, stories)
    assert main(["build", f"workspace={ws}", PEOPLE]) == 0
    assert parts(ws)["c1"] == before["c1"]
    assert main(["build", f"workspace={ws}", PEOPLE, "keep_splits=false", "seed=5"]) == 0
    assert parts(ws) != before


def test_a_copy_that_joins_two_groups_takes_them_to_the_most_held_out(stories, write_workspace, tmp_path, capsys):  # fmt: skip
    ws = write_workspace(tmp_path / "ws", stories)
    assert main(["build", f"workspace={ws}", PEOPLE]) == 0
    before = parts(ws)
    held = next(a for a in "bcdefg" if before[f"{a}1"] == "test") + "1"
    free = next(a for a in "bcdefg" if before[f"{a}1"] == "train") + "1"
    stories[held][3], stories[free][3] = free, free  # now one group
    write_workspace(ws, stories)
    capsys.readouterr()
    assert main(["build", f"workspace={ws}", PEOPLE]) == 0
    assert {parts(ws)[held], parts(ws)[free]} == {"test"}
    assert (
        f"{min(held, free)} and {max(held, free)} are now one group, in test"
        in capsys.readouterr().out
    )
    audit = json.loads((ws / "audit.json").read_text(encoding="utf-8"))
    assert audit["joined"][0]["were"] == ["test", "train"]


@pytest.mark.parametrize("split", ["by_date", "by_outlet"])
def test_date_and_outlet_splits_of_a_campaign(workspace, split):
    assert main(["build", f"workspace={workspace}", PEOPLE, f"split={split}"]) == 0
    assert set(parts(workspace).values()) == {"train", "validation", "test"}


def test_an_outlet_that_copies_carry_into_two_splits_is_named(workspace):
    words = (f"workspace={workspace}", PEOPLE, "split=by_outlet", "split.test=[Echo]")
    assert main(["build", *words]) == 0
    audit = json.loads((workspace / "audit.json").read_text(encoding="utf-8"))
    named = [f["figures"]["outlet"] for f in audit["findings"] if f["kind"] == "outlet"]
    assert named == ["Ledger"]  # its story a1 is in test, where Echo's copy of it is


def test_a_group_kept_against_the_dates_is_named(stories, write_workspace, tmp_path):
    ws = write_workspace(tmp_path / "ws", stories)
    assert main(["build", f"workspace={ws}", PEOPLE, "split=by_date"]) == 0
    stories["b1"][1] = "2026-12-01"  # dated anew, after all others
    write_workspace(ws, stories)
    assert main(["build", f"workspace={ws}", PEOPLE, "split=by_date"]) == 0
    audit = json.loads((ws / "audit.json").read_text(encoding="utf-8"))
    assert [f["figures"]["group"] for f in audit["findings"] if f["kind"] == "date"] == ["b1"]
