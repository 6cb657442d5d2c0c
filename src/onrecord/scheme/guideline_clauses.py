"""The guideline clauses for a question and its labels: numbered rules, notes and table rows.

Guidelines are Markdown written by hand. A question's section is the one with the table that the scheme renders
(``<!-- scheme: QUESTION -->``), else the one whose heading names the question.
"""

import re
from collections.abc import Iterable, Sequence

HEADING = re.compile(r"(?m)^(#{1,6}) +(.+)$")
ITEM = re.compile(r"(?m)^ {0,3}(?:\d+[.)]|[-*+]) +.+$")
ROW = re.compile(r"(?m)^\|.+\|\s*$")


def word_pattern(name: str) -> re.Pattern[str]:
    """Return a pattern that matches a name of the scheme as a whole word, with spaces, ``_`` or ``-`` in it.

    >>> bool(word_pattern("does_not").search("It does not.")), bool(word_pattern("fact").search("a factor"))
    (True, False)
    """
    words = r"[\s_-]".join(re.escape(word) for word in name.split("_"))
    return re.compile(rf"(?<![\w-]){words}(?![\w-])", re.IGNORECASE)


def section(guidelines: str, question: str, others: Iterable[str] = ()) -> str:
    r"""Return the part of the guidelines on a question, its subsections with it; empty where there is none.

    A heading that names one of ``others`` (questions) whose name holds this one's is theirs.

    >>> guide = "# Guide\n## Tone of voice\nx\n### Hard cases\ny\n## Tone\n1. z"
    >>> section(guide, "tone", ["tone_of_voice"])
    '## Tone\n1. z'
    """
    heads = list(HEADING.finditer(guidelines))
    marker = re.search(rf"<!-- scheme: {re.escape(question)} -->", guidelines)
    longer = [word_pattern(o) for o in others if o != question and word_pattern(question).search(o.replace("_", " "))]  # fmt: skip
    own = [h for h in heads if marker and h.start() < marker.start()][-1:] or [
        h
        for h in heads
        if word_pattern(question).search(h[2]) and not any(name.search(h[2]) for name in longer)
    ]
    if not own:
        return ""
    end = next((h.start() for h in heads if h.start() > own[0].start() and len(h[1]) <= len(own[0][1])), None)  # fmt: skip
    return guidelines[own[0].start() : end]


def clauses(
    guidelines: str, question: str, labels: Sequence[str], others: Iterable[str] = ()
) -> list[str]:
    r"""Return the clauses on ``labels`` in a question's section: their table rows, then rules and notes.

    Of the rules, those that name all the labels, else those that name any. Of these, if there are some, those
    about the label (it begins the rule, is its outcome, or is in code or bold), not those that only use the word.

    >>> guide = "## Question 1: tone\n1. up: rises.\n2. down: falls; not up.\n## Question 2: x\n1. up: no"
    >>> clauses(guide, "tone", ["up", "down"])
    ['2. down: falls; not up.']
    """
    own = section(guidelines, question, others)
    rows = [
        f"{cells[0]}: {cells[-1]}"
        for line in ROW.findall(own)
        if (cells := [cell.strip(" `*") for cell in line.strip().strip("|").split("|")])[0] in labels
        and len(cells) > 1 and cells[-1]
    ]  # fmt: skip
    rules = [rule.strip() for rule in ITEM.findall(own)]
    for among in (all, any):
        named = [
            rule for rule in rules if among(word_pattern(label).search(rule) for label in labels)
        ]
        about = [rule for rule in named if any(_about(rule, label) for label in labels)]
        if named:
            return [*rows, *(about or named)]
    return rows


def rules_for(guidelines: str, question: str, label: str, others: Iterable[str] = ()) -> list[str]:
    r"""Return the numbered rules of a question's section whose outcome is a label.

    >>> rules_for("## Question 1: stance\n1. Likes it -> favor.\n2. The reverse -> against.", "stance", "against")
    ['rule 2: The reverse → against.']
    """
    found = []
    for number, rule in re.findall(r"(?m)^(\d+)[.)] +(.+)$", section(guidelines, question, others)):
        if _outcome(rule, label) or rule.startswith(f"{label}:"):
            found.append(f"rule {number}: {rule}".replace("->", "→"))
    return found


def _outcome(rule: str, label: str) -> bool:
    return (
        re.search(rf"(?:->|→)[^.;]*{word_pattern(label).pattern}", rule, re.IGNORECASE) is not None
    )


def _about(rule: str, label: str) -> bool:
    word = word_pattern(label).pattern
    begins = rf"^(?:\d+[.)]|[-*+]) +[`*]*{word}[`*]*\s*(?::|\(|->|→)"
    set_off = rf"{begins}|[`*]{word}[`*]|:\s*{word}\s*[.;)]"
    return re.search(set_off, rule, re.IGNORECASE) is not None or _outcome(rule, label)
