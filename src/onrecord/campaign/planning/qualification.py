"""Qualification and hidden checks: answers scored against known ones, explained, and the rounds that follow.

``plan`` writes the known answers into the workspace's ``known.json``; annotators must not see it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from onrecord.core.files import read_object, write_jsonl
from onrecord.core.html import Section, notice, page, table, text
from onrecord.core.records import Annotation, PlanRow
from onrecord.core.votes import latest_annotations
from onrecord.core.workspace import Workspace
from onrecord.scheme.guideline_clauses import rules_for
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme

QUALIFICATION = "qualification"


class KnownAnswer(TypedDict):
    """The right answers to the questions of one sentence, and the reason, empty where none is given."""

    labels: dict[str, str | None]
    why: str


class KnownAnswers(TypedDict):
    """The file ``known.json``: the share of right answers that passes, and sentence → answers."""

    pass_mark: float
    answers: dict[str, KnownAnswer]


class QualificationResult(TypedDict):
    """One annotator's result in one round. ``state`` is open, passed or failed; ``score`` is a share of 1."""

    annotator: str
    round: str
    tasks: int
    done: int
    right: int
    answers: int
    score: float | None
    pass_mark: float
    state: str


class Score(NamedTuple):
    """How many answers to questions with labels were right; of none, there is no share."""

    right: int
    total: int

    @property
    def share(self) -> float | None:
        """Return right answers as a share of 1."""
        return self.right / self.total if self.total else None


def known_answers(
    rows: Iterable[Mapping[str, Any]], sentences: Iterable[str]
) -> dict[str, KnownAnswer]:
    """Return the known answers to ``sentences`` in rows of gold, or of a writer's labels."""
    wanted = set(sentences)
    return {
        row["sentence_id"]: {"labels": dict(row["labels"]), "why": row.get("why", "")}
        for row in rows
        if row["sentence_id"] in wanted
    }


def score(
    annotations: Iterable[Annotation], answers: Mapping[str, KnownAnswer], scheme: Scheme
) -> Score:
    """Return how many answers are right; a skipped task is all wrong, a question without a known answer not scored."""
    right = total = 0
    for row in annotations:
        right_answers = (
            answers[row["sentence_id"]]["labels"] if row["sentence_id"] in answers else {}
        )
        for name, known in right_answers.items():
            if known is not None and scheme.questions[name].kind == "label":
                total += 1
                right += row["status"] == "submitted" and row["labels"].get(name) == known
    return Score(right, total)


def results(
    plan: Sequence[PlanRow],
    annotations: Iterable[Annotation],
    answers: Mapping[str, KnownAnswer],
    scheme: Scheme,
    pass_mark: float,
) -> list[QualificationResult]:
    """Return a row for each annotator and qualification round of the plan.

    A round is open until all its tasks are done, so that nobody passes with part of it.
    """
    done: dict[tuple[str, str], dict[str, Annotation]] = {}
    for row in latest_annotations(annotations):
        if row["purpose"] == QUALIFICATION and row["status"] in ("submitted", "skipped"):
            done.setdefault((row["annotator"], row["round"]), {})[row["sentence_id"]] = row
    found: list[QualificationResult] = []
    for annotator, name in dict.fromkeys(
        (r["annotator"], r["round"]) for r in plan if r["purpose"] == QUALIFICATION
    ):
        tasks = {
            r["sentence_id"] for r in plan if (r["annotator"], r["round"]) == (annotator, name)
        }
        mine = [r for s, r in done.get((annotator, name), {}).items() if s in tasks]
        reached = score(mine, answers, scheme)
        finished = {r["sentence_id"] for r in mine} == tasks
        passed = reached.share is not None and reached.share >= pass_mark
        found.append(
            {
                "annotator": annotator,
                "round": name,
                "tasks": len(tasks),
                "done": len(mine),
                "right": reached.right,
                "answers": reached.total,
                "score": reached.share,
                "pass_mark": pass_mark,
                "state": "open" if not finished else "passed" if passed else "failed",
            }
        )
    return found


def launchable_rows(
    plan: Sequence[PlanRow], outcome: Sequence[QualificationResult]
) -> list[PlanRow]:
    """Return the rows of the plan that may be launched now.

    The first qualification round always, the next once the one before is failed, and an annotator's other tasks
    once one is passed. An annotator without a qualification round in the plan may do everything, and nobody what is
    paused.
    """
    states: dict[str, list[str]] = {}
    rounds: dict[str, list[str]] = {}
    for row in outcome:
        states.setdefault(row["annotator"], []).append(row["state"])
        rounds.setdefault(row["annotator"], []).append(row["round"])
    allowed: dict[str, set[str]] = {}
    for annotator, found in states.items():
        failed = next((i for i, state in enumerate(found) if state != "failed"), len(found))
        allowed[annotator] = set(rounds[annotator][: failed + 1])
    return [
        row
        for row in plan
        if not row.get("paused")
        and (
            row["annotator"] not in states
            or row["round"] in allowed[row["annotator"]]
            or (row["purpose"] != QUALIFICATION and "passed" in states[row["annotator"]])
        )
    ]


def record_results(
    workspace: Workspace, plan: Sequence[PlanRow], scheme: Scheme
) -> list[QualificationResult]:
    """Return the results of the workspace's qualification, and write them to ``qualification.jsonl``.

    Nothing is written where the plan has no qualification.
    """
    if not any(row["purpose"] == QUALIFICATION for row in plan):
        return []
    known = read_object(workspace.known_answers, ["answers", "pass_mark"], "plan")
    path = workspace.annotations
    rows = read_annotations(path) if path.exists() else []
    found = results(plan, rows, known["answers"], scheme, known["pass_mark"])
    write_jsonl(workspace.qualification, found)
    return found


def feedback_page(
    annotator: str,
    *,
    rows: Sequence[Annotation],
    answers: Mapping[str, KnownAnswer],
    texts: Mapping[str, str],
    scheme: Scheme,
    guidelines: str,
    outcome: Sequence[QualificationResult],
) -> str:
    """Return a page that explains an annotator's qualification: each answer, the right one, and the reason.

    ``rows`` are their annotations, ``texts`` maps sentences to their text.
    """
    sections: list[Section] = []
    for row in rows:
        known = answers.get(row["sentence_id"])
        if known is None:
            continue
        cells = []
        for name, question in scheme.questions.items():
            right = known["labels"].get(name)
            given = row["labels"].get(name) if row["status"] == "submitted" else "skipped"
            if right is None and given is None:
                continue
            hint = next((label.hint for label in question.labels if label.name == right), "")
            rules = rules_for(guidelines, name, right, scheme.questions) if right else []
            why = "" if given == right else " · ".join([hint, *rules] if hint else rules)
            cells.append(
                [question.ask, given or "–", right or "–", "✓" if given == right else "✗", why]
            )
        wrong = sum(cell[3] == "✗" for cell in cells)
        blocks = [
            text(f"“{texts[row['sentence_id']]}”"),
            table("Your answers", ["question", "yours", "right", "", "why"], cells),
        ]
        if known["why"]:
            blocks.append(notice(known["why"], "plain"))
        title = "All right" if not wrong else f"{wrong} of {len(cells)} to look at again"
        sections.append(Section(f"{len(sections) + 1}. {title}", blocks))
    lead = "; ".join(
        f"{o['round']}: {o['right']} of {o['answers']} answers right, {o['state']}"
        for o in outcome
        if o["annotator"] == annotator
    )
    return page(
        f"Practice of {annotator}", lead, sections,
        "The right answers are those of the campaign's known sentences; the rules are those of its guidelines.",
    )  # fmt: skip
