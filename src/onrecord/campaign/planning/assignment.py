"""Assign sentences to annotators and order each annotator's tasks.

Loads differ by one task at most. Annotators get runs of consecutive sentences, so that articles stay whole except
where one run ends and the next begins.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import Literal

from onrecord.core.errors import BadInput
from onrecord.core.records import PlanRow

Order = Literal["articles", "shuffled"]


def task_id(
    round_name: str, annotator: str, sentence_id: str, text_sha256: str, occurrence: int = 0
) -> str:
    """Return our key of a task: 16 hex digits that do not show its purpose.

    The key depends on the arguments alone: planning again keeps the keys of unchanged tasks, and a sentence whose
    text has changed is a new task. ``occurrence`` counts the earlier times that this annotator was given it.
    """
    words = "\n".join([round_name, annotator, sentence_id, text_sha256, str(occurrence)])
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def assign(
    sentences: Sequence[str],
    annotators: Sequence[str],
    overlap: int,
    loads: Mapping[str, int] | None = None,
) -> dict[str, list[str]]:
    """Return ``annotator → sentences``: each sentence goes to ``overlap`` of them, all loads within one.

    ``loads`` are the tasks that each has already (within one of each other too). The sentences are cut into as
    many runs as there are annotators; each annotator gets ``overlap`` neighbouring runs, and the few sentences left
    over go to the least loaded. Neighbours share runs, so with an overlap of two or more all are connected.
    Raises BadInput for an overlap above the number of annotators.

    >>> assign(["a", "b", "c"], ["x", "y", "z"], 2)
    {'x': ['a', 'c'], 'y': ['a', 'b'], 'z': ['b', 'c']}
    """
    if not 1 <= overlap <= len(annotators):
        raise BadInput(
            f"overlap: expected 1 to {len(annotators)} (the annotators), found {overlap}"
        )
    run = len(sentences) // len(annotators)
    given: dict[str, list[str]] = {a: [] for a in annotators}
    for block in range(len(annotators)):
        for step in range(overlap):
            annotator = annotators[(block + step) % len(annotators)]
            given[annotator] += sentences[block * run : (block + 1) * run]
    total = {a: len(given[a]) + (loads or {}).get(a, 0) for a in annotators}
    for sentence in sentences[len(annotators) * run :]:
        for annotator in sorted(annotators, key=lambda a: total[a])[:overlap]:
            given[annotator].append(sentence)
            total[annotator] += 1
    place = {sentence: i for i, sentence in enumerate(sentences)}
    return {a: sorted(mine, key=place.__getitem__) for a, mine in given.items()}


def order_tasks(sentences: Sequence[str], order: Order, seed: str) -> list[str]:
    """Return the sentences as they are (whole articles in order) or shuffled by the seed."""
    mine = list(sentences)
    if order == "shuffled":
        random.Random(seed).shuffle(mine)
    return mine


def insert_repeats(
    sequence: Sequence[str], repeatable: Sequence[str], count: int, seed: str
) -> list[tuple[str, int]]:
    """Return ``(sentence, occurrence)`` in order, ``count`` of ``repeatable`` repeated in the later half.

    Only sentences of the earlier half are repeated, each once; fewer than ``count`` where there are not enough.
    """
    draw = random.Random(seed)
    early = set(sequence[: len(sequence) // 2])
    again = draw.sample(sorted(early & set(repeatable)), min(count, len(early & set(repeatable))))
    places = sorted(draw.choices(range(len(sequence) // 2, len(sequence) + 1), k=len(again)))
    result: list[tuple[str, int]] = []
    for place, sentence in enumerate(sequence):
        while places and places[0] == place and again:
            places.pop(0)
            result.append((again.pop(), 1))
        result.append((sentence, 0))
    return result + [(sentence, 1) for sentence in reversed(again)]


def main_round(
    annotator: str,
    sequence: Sequence[tuple[str, int]],
    *,
    checks: set[str],
    probabilities: Mapping[str, float],
    sha256_of: Mapping[str, str],
    control: set[str],
    suggestions: bool,
) -> list[PlanRow]:
    """Return an annotator's rows of the main round, hidden checks and repeats among them.

    ``control`` are the sentences shown to this annotator without a suggestion; ``sha256_of`` gives the hash of
    each sentence's text.
    """
    rows = []
    for position, (sentence, occurrence) in enumerate(sequence, 1):
        purpose = "check" if sentence in checks else "repeat" if occurrence else "main"
        rows.append(
            PlanRow(
                task_id=task_id("main", annotator, sentence, sha256_of[sentence], occurrence),
                sentence_id=sentence,
                annotator=annotator,
                round="main",
                position=position,
                purpose=purpose,
                suggestion_shown=suggestions and sentence not in control,
                inclusion_probability=probabilities.get(sentence, 1.0),
            )
        )
    return rows


def qualification_round(
    annotator: str,
    sentences: Sequence[str],
    name: str,
    *,
    sha256_of: Mapping[str, str],
    suggestions: bool,
) -> list[PlanRow]:
    """Return an annotator's rows of a qualification round: the same sentences in the same order for all."""
    return [
        PlanRow(
            task_id=task_id(name, annotator, sentence, sha256_of[sentence]),
            sentence_id=sentence,
            annotator=annotator,
            round=name,
            position=position,
            purpose="qualification",
            suggestion_shown=suggestions,
            inclusion_probability=1.0,
        )
        for position, sentence in enumerate(sentences, 1)
    ]
