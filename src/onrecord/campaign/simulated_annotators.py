"""Fill a campaign with simulated annotators through its back end: a rehearsal before anyone is paid.

Each annotator has a skill (how often the answer is the true one), a bias (the label that a question falls
back on) and a pace. The truth is what is known of a sentence; elsewhere it is made up, from the attributor's
speaker and a seeded draw of labels, so that agreement and hours mean something and labels mean nothing.
Their annotations are marked as simulated wherever they go.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onrecord.campaign.backend import AnnotationBackend, Answers, Entry, Task
from onrecord.campaign.planning.qualification import known_answers
from onrecord.core.errors import BadInput
from onrecord.core.records import Launched, SpeakerRow
from onrecord.scheme.scheme import Scheme

BIASED = 0.6  # of a biased annotator's wrong answers, those that fall back on the bias
SPREAD = 0.5  # of the logarithm of seconds


@dataclass(frozen=True)
class Simulated:
    """One simulated annotator; ``seconds`` is the median a task, ``bias`` maps questions to labels."""

    skill: float = 0.85
    seconds: float = 25.0
    bias: Mapping[str, str] = field(default_factory=dict)


def simulated_annotators(declared: Sequence[Mapping[str, Any]], scheme: Scheme) -> list[Simulated]:
    """Return the annotators declared in ``conf/launch.yaml``; raises BadInput for one that cannot be."""
    found = []
    for number, body in enumerate(declared, 1):
        where = f"simulated annotator {number}"
        unknown = set(body) - {"skill", "seconds", "bias"}
        if unknown:
            raise BadInput(f"{where}: expected skill, seconds, bias, found {min(unknown)!r}")
        one = Simulated(**{str(key): value for key, value in body.items()})
        if not (0 <= one.skill <= 1 and one.seconds > 0):
            raise BadInput(
                f"{where}: expected skill from 0 to 1 and seconds above 0, found {dict(body)}"
            )
        scheme.check(one.bias, f"{where}, bias")
        found.append(one)
    if not found:
        raise BadInput("simulated: expected at least one annotator, found none")
    return found


def truth_of(
    sentence_id: str,
    suggestion: SpeakerRow | None,
    known: Mapping[str, Any],
    scheme: Scheme,
    seed: int,
) -> dict[str, str | None]:
    """Return the answers that skill is measured by: those known, the suggested speaker, else a seeded draw."""
    draw = random.Random(f"{seed} {sentence_id}")
    answers = dict(known.get(sentence_id, {}).get("labels", {}))
    truth: dict[str, str | None] = {}
    proposed: Mapping[str, Any] = suggestion or {}
    for name, question in scheme.questions.items():
        suggested = proposed.get(name)
        if question.kind == "label" and suggested not in question.names:
            suggested = None  # the attributor knows the kinds of speakers of our own scheme only
        given = answers.get(name) or suggested
        drawn = draw.choice(question.names) if question.kind == "label" else None
        truth[name] = given or drawn
    return _consistent(truth, scheme, [])


def answered(
    truth: Mapping[str, str | None],
    one: Simulated,
    names: Sequence[str],
    scheme: Scheme,
    draw: random.Random,
) -> dict[str, str | None]:
    """Return what an annotator answers where ``truth`` is right: each question on its own, by skill and bias."""
    labels: dict[str, str | None] = {}
    for name, question in scheme.questions.items():
        right = truth.get(name)
        choices = [n for n in (question.names if question.kind == "label" else names) if n != right]
        biased = one.bias.get(name)
        if draw.random() < one.skill or not choices:
            labels[name] = right
        elif biased is not None and draw.random() < BIASED:
            labels[name] = biased
        else:
            labels[name] = draw.choice(choices)
    return _consistent(labels, scheme, names)


def _consistent(
    labels: Mapping[str, str | None], scheme: Scheme, names: Sequence[str]
) -> dict[str, str | None]:
    """Return the answers as the page would let them be given: no name for an author, some name for an expert."""
    result = dict(labels)
    for name, question in scheme.questions.items():
        if not scheme.asked(result, name):
            result[name] = None
        elif question.kind == "name" and result[name] is None and names:
            result[name] = names[0]
    return result


def seconds_taken(one: Simulated, draw: random.Random) -> float:
    """Return a time for one task, in seconds: lognormal about the annotator's median."""
    return round(draw.lognormvariate(math.log(one.seconds), SPREAD), 1)


def simulated_entries(
    launched: Iterable[Launched],
    *,
    offered: Mapping[str, Sequence[str]],
    suggestions: Mapping[str, SpeakerRow],
    known: Mapping[str, Any],
    annotators: Sequence[Simulated],
    scheme: Scheme,
    seed: int,
) -> dict[tuple[str, int], list[Entry]]:
    """Return the answers by (annotator, project) for every active task; the same seed gives the same answers.

    ``offered`` maps task ids to the names that the task offers. Annotators are taken in turn from ``annotators``.
    """
    found: dict[tuple[str, int], list[Entry]] = {}
    active = [row for row in launched if row["state"] == "active"]
    order = list(dict.fromkeys(row["annotator"] for row in active))
    for row in active:
        one = annotators[order.index(row["annotator"]) % len(annotators)]
        draw = random.Random(f"{seed} {row['task_id']}")
        sentence = row["sentence_id"]
        truth = truth_of(sentence, suggestions.get(sentence), known, scheme, seed)
        labels = answered(truth, one, offered.get(row["task_id"], []), scheme, draw)
        entry = Entry(row["ls_task_id"], Answers(labels, [], ""), seconds_taken(one, draw))
        found.setdefault((row["annotator"], row["project_id"]), []).append(entry)
    return found


def simulate(
    backend: AnnotationBackend,
    launched: Sequence[Launched],
    tasks: Iterable[Task],
    scheme: Scheme,
    *,
    speakers: Iterable[SpeakerRow],
    known: Iterable[Mapping[str, Any]],
    annotators: Sequence[Simulated],
    names: Sequence[str] | None,
    seed: int,
) -> str:
    """Answer every launched task of the accounts ``names`` (None: all), marked as simulated; return what was done.

    Raises BadInput for an account that is not launched, or under which a person has annotated.
    """
    there = sorted({row["annotator"] for row in launched})
    chosen = there if names is None else list(names)
    if unknown := sorted({*chosen} - {*there}):
        raise BadInput(f"seats: expected some of {', '.join(there)}, found {', '.join(unknown)}")
    launched = [row for row in launched if row["annotator"] in chosen]
    accounts = backend.accounts()
    for name, project in dict.fromkeys((r["annotator"], r["project_id"]) for r in launched):
        if accounts[name].get("origin") != "simulated" and any(
            task["annotated"] for task in backend.tasks(project).values()
        ):
            raise BadInput(
                f"{name} has annotated already: leave that seat out (seats=[{','.join(a for a in there if a != name)}]), "
                "or rehearse elsewhere (campaign.name=rehearsal workspace=data/rehearsal)"
            )
    entries = simulated_entries(
        launched, offered={task.row["task_id"]: task.names for task in tasks},
        suggestions={row["sentence_id"]: row for row in speakers},
        known=known_answers(known, (row["sentence_id"] for row in launched)),
        annotators=annotators, scheme=scheme, seed=seed,
    )  # fmt: skip
    for name in dict.fromkeys(name for name, _ in entries):
        backend.mark(name, origin="simulated")
    entered = backend.annotate(entries, scheme)
    return (
        f"Created {entered} simulated annotations for {len({name for name, _ in entries})} annotators "
        "(not human labels)."
    )
