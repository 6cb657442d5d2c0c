"""Fill a campaign with simulated annotators through the real API: a rehearsal before anyone is paid.

Each annotator has a skill (how often the answer is the true one), a bias (the label that a question falls
back on) and a pace. The truth is what is known of a sentence; elsewhere it is made up, from the attributor's
speaker and a seeded draw of labels, so that agreement and hours mean something and labels mean nothing.
Their annotations are marked as simulated wherever they go.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from onrecord.campaign.labelstudio.accounts import mark, marks
from onrecord.campaign.labelstudio.client import LabelStudio
from onrecord.campaign.labelstudio.shipped_labels import Entry, missing, post_at_once
from onrecord.campaign.planning.qualification import known_answers
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl
from onrecord.core.workspace import Workspace
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
    suggestion: Mapping[str, Any],
    known: Mapping[str, Any],
    scheme: Scheme,
    seed: int,
) -> dict[str, str | None]:
    """Return the answers that skill is measured by: those known, the suggested speaker, else a seeded draw."""
    draw = random.Random(f"{seed} {sentence_id}")
    answers = dict(known.get(sentence_id, {}).get("labels", {}))
    truth: dict[str, str | None] = {}
    for name, question in scheme.questions.items():
        suggested = suggestion.get(name)
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


def entries(
    launched: Iterable[Mapping[str, Any]],
    *,
    offered: Mapping[int, Sequence[str]],
    suggestions: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, Any],
    annotators: Sequence[Simulated],
    scheme: Scheme,
    seed: int,
) -> dict[str, dict[int, list[Entry]]]:
    """Return ``annotator → project → answers`` for every active task; the same seed gives the same answers.

    ``offered`` maps Label Studio's task ids to the names that the task offers. Annotators are taken in turn
    from ``annotators``.
    """
    found: dict[str, dict[int, list[Entry]]] = {}
    active = [row for row in launched if row["state"] == "active"]
    order = list(dict.fromkeys(row["annotator"] for row in active))
    for row in active:
        one = annotators[order.index(row["annotator"]) % len(annotators)]
        draw = random.Random(f"{seed} {row['task_id']}")
        sentence = row["sentence_id"]
        truth = truth_of(sentence, suggestions.get(sentence, {}), known, scheme, seed)
        labels = answered(truth, one, offered.get(row["ls_task_id"], []), scheme, draw)
        mine = found.setdefault(row["annotator"], {}).setdefault(row["project_id"], [])
        mine.append(Entry(row["ls_task_id"], labels, [], "", seconds_taken(one, draw)))
    return found


def simulate(
    cfg: DictConfig, client: LabelStudio, launched: Sequence[Mapping[str, Any]], scheme: Scheme
) -> str:
    """Answer every launched task (of ``seats``) by the annotators' own accounts, marked as simulated; say so."""
    workspace = Path(cfg.workspace)
    there = sorted({row["annotator"] for row in launched})
    seats = there if cfg.seats is None else list(cfg.seats)
    if strangers := sorted(set(seats) - {*there}):
        raise BadInput(f"seats: expected some of {', '.join(there)}, found {', '.join(strangers)}")
    launched = [row for row in launched if row["annotator"] in seats]
    declared: Any = OmegaConf.to_container(cfg.simulated, resolve=True)
    annotators = simulated_annotators(declared, scheme)
    known = known_answers(
        read_jsonl(cfg.known) if cfg.known else [], (row["sentence_id"] for row in launched)
    )
    speakers = Workspace(workspace).read_speakers().to_pylist()
    logins = workspace / "labelstudio" / "accounts.json"
    accounts = marks(logins, client.key)
    offered = {}
    for annotator, project in dict.fromkeys((r["annotator"], r["project_id"]) for r in launched):
        for task in client.tasks(project, include="id,data,total_annotations"):
            if task["total_annotations"] and accounts[annotator].get("origin") != "simulated":
                raise BadInput(
                    f"{annotator} has annotated already: leave that seat out (seats=[{','.join(a for a in there if a != annotator)}]), "
                    "or rehearse elsewhere (campaign.name=rehearsal workspace=data/rehearsal)"
                )
            offered[task["id"]] = [choice["value"] for choice in task["data"].get("names", ())]
    todo = entries(
        launched, offered=offered, suggestions={row["sentence_id"]: row for row in speakers},
        known=known, annotators=annotators, scheme=scheme, seed=cfg.seed,
    )  # fmt: skip
    left = {}
    for annotator, projects in todo.items():
        mark(logins, client.key, annotator, origin="simulated")
        left[annotator] = [
            item
            for project, given in projects.items()
            for item in missing(client, project, given, scheme)
        ]
    entered = post_at_once(client.url, {a: accounts[a]["token"] for a in left}, left)
    return f"{entered} simulated annotations entered by {len(left)} accounts: nobody made them"
