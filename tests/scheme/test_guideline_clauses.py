"""The clauses of the guidelines that bear on a pair of labels: ours, the given ones, and somebody else's."""

from itertools import combinations

import pytest

from onrecord import ROOT
from onrecord.scheme.guideline_clauses import clauses, rules_for, section, word_pattern
from onrecord.scheme.scheme import load_scheme

SCHEME = load_scheme(ROOT / "annotation")
ASKED = [q for q in SCHEME.questions.values() if q.kind == "label"]


@pytest.mark.parametrize("which", ["ours", "given"])
def test_every_pair_of_labels_has_clauses_of_its_own_question(which, request):
    folder = (
        ROOT / "annotation" if which == "ours" else request.getfixturevalue("shared") / "campaign"
    )
    guidelines = (folder / "guidelines.md").read_text(encoding="utf-8")
    for question in ASKED:
        own = section(guidelines, question.name, SCHEME.questions)
        for pair in combinations(question.names, 2):
            found = clauses(guidelines, question.name, pair, SCHEME.questions)
            if which == "given" and question.name == "speaker" and not found:
                continue  # its labels are listed in one paragraph: no rule, note or row names politician or expert
            assert found, pair
            for clause in found:
                assert any(word_pattern(label).search(clause) for label in pair), (pair, clause)
                assert clause in own or clause.split(": ", 1)[1] in own


OTHERS = """# Handbook of the tones, version 0.1.0

## How sure
1. certain, whatever the tone: warm or cold.

## Does it doubt?
<!-- scheme: doubt -->
| label | key | in short |
|---|---|---|
| doubts | a | asks, hedges |
| does_not | s | |
<!-- end -->

### Hard cases
* Irony *doubts*; a plain denial does not.

# Tone
- `warm`: praise.
- A cold fact told in a warm voice -> cold.
- People may warm to it.
"""
QUESTIONS = ("tone", "doubt", "doubt_of_others")


@pytest.mark.parametrize(
    ("question", "labels", "found"),
    [
        (
            "doubt",
            ("doubts", "does_not"),
            ["doubts: asks, hedges", "* Irony *doubts*; a plain denial does not."],
        ),
        ("tone", ("warm", "cold"), ["- A cold fact told in a warm voice -> cold."]),
        ("tone", ("warm", "plain"), ["- `warm`: praise."]),
        ("tone", ("plain", "odd"), []),
        ("doubt_of_others", ("warm", "cold"), []),
        ("tense", ("past", "future"), []),
    ],
)
def test_another_scheme_s_clauses_are_found_by_its_question_and_labels(question, labels, found):
    assert clauses(OTHERS, question, labels, QUESTIONS) == found


def test_a_rule_is_known_by_its_outcome():
    assert rules_for(OTHERS, "tone", "cold") == []  # a note has no number to go by
    assert rules_for("## Tone\n1) Praise → warm.\n2) Else, cold -> not warm", "tone", "warm") == [
        "rule 1: Praise → warm.", "rule 2: Else, cold → not warm",
    ]  # fmt: skip
