"""The adjudication round: what the policy left open, shown to somebody who did not annotate it.

The annotators' answers are shown beside the sentence, without names and in an order that reveals nothing.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from onrecord.campaign.backend import Address, Project, Task, open_backend
from onrecord.campaign.launch import launch, put_back, read_plan, write_logins
from onrecord.campaign.planning.assignment import task_id
from onrecord.campaign.task_content import MAX_NAMES, instructions, read_tasks
from onrecord.campaign.text_context import escape
from onrecord.core.files import locked, read_jsonl, write_jsonl
from onrecord.core.records import Annotation, Launched, PlanRow, text_sha256
from onrecord.core.votes import latest_annotations
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import read_guidelines
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme, targets_of

ROUND = ADJUDICATION = "adjudication"


def seen_by(plan: Iterable[PlanRow], rows: Iterable[Annotation]) -> dict[str, set[str]]:
    """Return the annotators who have seen each sentence or are still to see it, by the plan or by what was collected."""
    found: dict[str, set[str]] = {}
    seen: Iterable[Any] = (*plan, *rows)
    for row in seen:
        if row["purpose"] != ADJUDICATION:
            found.setdefault(row["sentence_id"], set()).add(row["annotator"])
    return found


def incomplete(plan: Iterable[PlanRow], rows: Iterable[Annotation]) -> set[str]:
    """Return the sentences that somebody has still to annotate: planned, and neither answered nor skipped."""
    done = {
        (row["annotator"], row["sentence_id"])
        for row in latest_annotations(rows)
        if row["purpose"] == "main" and row["status"] in ("submitted", "skipped")
    }
    return {
        row["sentence_id"]
        for row in plan
        if row["purpose"] == "main" and (row["annotator"], row["sentence_id"]) not in done
    }


def adjudicators_of(
    unresolved: Sequence[str],
    seen: Mapping[str, set[str]],
    candidates: Sequence[str],
    stranger: str = "adjudicator",
) -> dict[str, str]:
    """Return ``sentence_id → adjudicator``: of the candidates who have not ``seen`` it the least loaded one.

    Where all of them have it is ``stranger``, an account of its own.
    """
    load: Counter[str] = Counter()
    found = {}
    for sentence in unresolved:
        free = [name for name in candidates if name not in seen.get(sentence, set())]
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
    unresolved: Sequence[str],
    counted: Iterable[Any],
    *,
    campaign: Any,
    address: Address,
    adjudicators: Sequence[str] | None,
    allow_incomplete: bool,
    seed: int,
) -> str:
    """Launch the unresolved sentences in projects of their own; return what was done, in words.

    ``counted`` are the annotations that count, ``campaign`` is the campaign's config, ``adjudicators`` are
    names (None: the annotators who still have work in the plan). A sentence that somebody has still to annotate
    is left for later, unless ``allow_incomplete``.
    """
    scheme = load_scheme()
    launched = read_jsonl(workspace.require(Workspace.launched), Launched)
    planned = read_plan(workspace) if workspace.plan.exists() else []
    collected = read_annotations(workspace.annotations)
    unfinished = incomplete(planned, collected) & set(unresolved)
    ready = [s for s in unresolved if allow_incomplete or s not in unfinished]
    by_sentence: dict[str, list[Annotation]] = {}
    for row in counted:
        by_sentence.setdefault(row["sentence_id"], []).append(row)
    candidates = adjudicators or dict.fromkeys(
        row["annotator"] for row in planned if row["purpose"] == "main"
    )
    plan = round_plan(
        adjudicators_of(ready, seen_by(planned, collected), list(candidates)),
        {s["sentence_id"]: text_sha256(s["text"]) for s in workspace.read_sentences().to_pylist()},
    )
    waiting = f"{len(unfinished)} sentences are not complete by the plan"
    if unfinished:
        waiting += (
            ": opened all the same"
            if allow_incomplete
            else ": left for later (`incomplete=ok` opens them)"
        )
    if not plan:
        return f"nothing to adjudicate{'; ' + waiting if unfinished else ''}"
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
        put_back(workspace, backend, rows, scheme)
        names = write_logins(workspace.adjudicators, backend, rows)
    return (
        (f"{waiting}\n" if unfinished else "")
        + f"{len(plan)} sentences to adjudicate in {len(names)} project{'s' * (len(names) != 1)} "
        f"({', '.join(names)}); logins and links: {workspace.adjudicators}"
    )
