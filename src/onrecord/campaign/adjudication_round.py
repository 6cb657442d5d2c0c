"""The adjudication round: what the policy left open, shown to somebody who did not annotate it.

The annotators' answers are shown beside the sentence, without names and in an order that reveals nothing.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from onrecord.campaign.backend import Address, Project, Task, open_backend
from onrecord.campaign.launch import launch, write_logins
from onrecord.campaign.planning.assignment import task_id
from onrecord.campaign.task_content import MAX_NAMES, instructions, read_tasks
from onrecord.campaign.text_context import escape
from onrecord.core.files import locked, read_jsonl, write_jsonl
from onrecord.core.records import Annotation, Launched, PlanRow, text_sha256
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import read_guidelines
from onrecord.scheme.scheme import Scheme, load_scheme, targets_of

ROUND = "adjudication"


def adjudicators_of(
    unresolved: Sequence[str],
    annotated_by: Mapping[str, set[str]],
    candidates: Sequence[str],
    stranger: str = "adjudicator",
) -> dict[str, str]:
    """Return ``sentence_id → adjudicator``: of the candidates who did not annotate it the least loaded one.

    Where all of them did it is ``stranger``, an account of its own.
    """  # fmt: skip
    load: Counter[str] = Counter()
    found = {}
    for sentence in unresolved:
        free = [name for name in candidates if name not in annotated_by.get(sentence, set())]
        chosen = min(free, key=lambda name: load[name]) if free else stranger
        load[chosen] += 1
        found[sentence] = chosen
    return found


def round_plan(assigned: Mapping[str, str], sha256_of: Mapping[str, str]) -> list[PlanRow]:
    """Return the round's rows in the plan's form, in the order given; no suggestion is shown."""
    return [
        PlanRow(
            task_id=task_id(ROUND, annotator, sentence, sha256_of[sentence]),
            sentence_id=sentence, annotator=annotator, round=ROUND, position=position,
            purpose="adjudication", suggestion_shown=False, inclusion_probability=1.0,
        )
        for position, (sentence, annotator) in enumerate(assigned.items())
    ]  # fmt: skip


def answers_shown(rows: Iterable[Annotation], scheme: Scheme, *, seed: str) -> str:
    """Return the annotators' answers to one sentence as HTML: a line each, nameless, in an order by ``seed``.

    A comment is shown with its answers; everything is escaped.
    """  # fmt: skip
    lines = []
    for row in rows:
        given = [
            f"{name.replace('_', ' ')}: {row['labels'][name]}"
            for name in scheme.questions
            if row["labels"].get(name) is not None
        ]
        given += [flag.replace("_", " ") for flag in row["flags"]]
        given += [f"comment: {row['comment']}"] if row["comment"] else []
        lines.append(escape(" · ".join(given)))
    lines.sort()
    random.Random(seed).shuffle(lines)
    return "".join(f"<p>{line}</p>" for line in lines)


def with_answers(
    tasks: Iterable[Task],
    by_sentence: Mapping[str, Sequence[Annotation]],
    scheme: Scheme,
    seed: int,
) -> list[Task]:
    """Return the tasks with the annotators' answers, and the names that were answered offered first."""
    name_questions = [q.name for q in scheme.questions.values() if q.kind == "name"]
    found = []
    for task in tasks:
        sentence = task.row["sentence_id"]
        rows = by_sentence[sentence]
        answered = {row["labels"].get(name) for row in rows for name in name_questions}
        names = list(dict.fromkeys([*sorted(filter(None, answered)), *task.names]))[:MAX_NAMES]
        shown = answers_shown(rows, scheme, seed=f"{seed} {sentence}")
        found.append(replace(task, answers=shown, names=names))
    return found


def open_round(
    workspace: Workspace,
    unresolved: Sequence[Mapping[str, Any]],
    counted: Iterable[Any],
    *,
    campaign: Any,
    address: Address,
    adjudicators: Sequence[str] | None,
    seed: int,
) -> str:
    """Launch the unresolved sentences in projects of their own; return what was done, in words.

    ``counted`` are the annotations that count, ``campaign`` is the campaign's config, ``adjudicators`` are
    names (None: the annotators).
    """
    scheme = load_scheme()
    launched = read_jsonl(workspace.require(Workspace.launched), Launched)
    by_sentence: dict[str, list[Annotation]] = {}
    for row in counted:
        by_sentence.setdefault(row["sentence_id"], []).append(row)
    candidates = adjudicators or dict.fromkeys(
        row["annotator"] for row in launched if row["purpose"] == "main"
    )
    plan = round_plan(
        adjudicators_of(
            [row["sentence_id"] for row in unresolved],
            {s: {row["annotator"] for row in rows} for s, rows in by_sentence.items()},
            list(candidates),
        ),
        {s["sentence_id"]: text_sha256(s["text"]) for s in workspace.read_sentences().to_pylist()},
    )
    targets = targets_of(scheme, campaign)
    guidelines = instructions(read_guidelines(scheme), targets)
    project = Project(campaign["title"], guidelines, scheme, targets, with_answers=True)
    tasks = with_answers(read_tasks(workspace, plan, scheme), by_sentence, scheme, seed)
    with (
        open_backend(campaign["backend"], workspace, campaign["name"], address) as backend,
        locked(workspace.launch_lock),
    ):
        before = [r for r in launched if r["round"] == ROUND and r["server"] == backend.key]
        rows = [row for rows in launch(backend, project, tasks, before) for row in rows]
        write_jsonl(workspace.launched, [*(r for r in launched if r not in before), *rows])
        names = write_logins(workspace.adjudicators, backend, rows)
    return (
        f"{len(plan)} sentences to adjudicate in {len(names)} project{'s' * (len(names) != 1)} "
        f"({', '.join(names)}); logins and links: {workspace.adjudicators}"
    )
