"""One vote for a person, sentence, target, purpose and version: over random histories, against a ledger kept apart."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from onrecord.core.votes import Versions, counted_annotations, votes

PRESENT = {"s0": "x", "s1": "x"}
lines = st.lists(
    st.fixed_dictionaries(
        {
            "annotation_id": st.sampled_from([f"t{n}" for n in range(8)]),
            "annotator": st.sampled_from(["ann", "ben", "cem"]),
            "sentence_id": st.sampled_from(["s0", "s1", "gone"]),
            "target_id": st.sampled_from(["buses", "fares"]),
            "text_sha256": st.sampled_from(["x", "x", "old"]),
            "purpose": st.sampled_from(["main", "main", "check"]),
            "status": st.sampled_from(["submitted", "submitted", "skipped", "deleted", "rejected"]),
            "guidelines_version": st.sampled_from(["1.0.0", "1.1.0", "1.10.0"]),
            "scheme_version": st.sampled_from([1, 2]),
            "target_version": st.sampled_from([1, 2]),
        }
    ),
    max_size=40,
).map(lambda rows: [{**row, "updated_at": f"{n:03}"} for n, row in enumerate(rows)])
rules = st.builds(
    Versions,
    target=st.sampled_from([1, 2]),
    compatible=st.fixed_dictionaries(
        {},
        optional={
            "guidelines": st.just(["1.0.0", "1.10.0"]),
            "scheme": st.just([1, 2]),
            "target": st.just([1, 2]),
        },
    ),
)


def under(row, rule):
    """Return the version of a row in words of this test's own."""
    found = []
    for kind in ("target", "scheme", "guidelines"):
        version = row[f"{kind}_version"]
        found.append("one of them" if version in rule.compatible.get(kind, ()) else version)
    return tuple(found)


def ledger(rows, rule):
    """Return (annotator, sentence, target, version) → the line that is that person's word, line after line."""
    book = {}
    for row in rows:  # a later line of an annotation withdraws the earlier
        book[row["annotation_id"]] = row
    words = {}
    for row in sorted(book.values(), key=lambda row: row["updated_at"]):
        counts = row["status"] == "submitted" and row["purpose"] == "main"
        if counts and PRESENT.get(row["sentence_id"]) == row["text_sha256"]:
            words[row["annotator"], row["sentence_id"], row["target_id"], under(row, rule)] = row
    return words


@given(lines, rules)
def test_each_persons_newest_answer_counts_once_and_versions_never_together(rows, rule):
    words = ledger(rows, rule)
    assert sorted(map(repr, votes(rows, PRESENT, versions=rule))) == sorted(
        map(repr, words.values())
    )
    counted = counted_annotations(rows, PRESENT, versions=rule)
    by_sentence = lambda row: (row["sentence_id"], row["target_id"])  # noqa: E731
    asked = {of for *_, version in words if (of := version[0]) in (rule.target, "one of them")}
    for of, rows_of in groupby(sorted(counted, key=by_sentence), key=by_sentence):
        own = list(rows_of)
        assert len({row["annotator"] for row in own}) == len(own)
        (version,) = {under(row, rule) for row in own}
        assert version[0] in asked
        same = [w for (_, s, t, v), w in words.items() if (s, t) == of and v == version]
        assert sorted(map(repr, own)) == sorted(map(repr, same))
        others = [v for (_, s, t, v) in words if (s, t) == of and v[0] == version[0]]
        assert len(own) == max(others.count(v) for v in others)
    open_ = {(s, t) for (_, s, t, v) in words if v[0] in (rule.target, "one of them")}
    assert {by_sentence(row) for row in counted} == open_


@given(lines, rules, st.randoms(use_true_random=False))
def test_what_counts_depends_on_no_order_of_annotations_and_not_on_their_ids(rows, rule, draw):
    first = counted_annotations(rows, PRESENT, versions=rule)
    groups = [[r for r in rows if r["annotation_id"] == f"t{n}"] for n in range(8)]
    draw.shuffle(groups)
    other = [
        {**row, "annotation_id": f"elsewhere {row['annotation_id']}"} for g in groups for row in g
    ]
    strip = lambda rows: sorted(repr({**r, "annotation_id": ""}) for r in rows)  # noqa: E731
    assert strip(counted_annotations(other, PRESENT, versions=rule)) == strip(first)
    doubled = [*rows, *({**row, "annotation_id": f"again {row['annotation_id']}"} for row in first)]
    assert strip(counted_annotations(doubled, PRESENT, versions=rule)) == strip(first)
