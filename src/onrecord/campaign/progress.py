"""How far a campaign is: tasks done and left, pace, repeated answers, and comments to read. Pure figures."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from onrecord.campaign.planning.qualification import Score, score
from onrecord.core.records import Annotation, Launched
from onrecord.scheme.scheme import Scheme

BREAK = timedelta(minutes=10)  # without a new annotation: the annotator was away


class Progress(NamedTuple):
    """One annotator in one round. ``seconds`` is the median a task, ``per_hour`` while at work."""

    annotator: str
    round: str
    tasks: int
    done: int
    skipped: int
    seconds: float | None
    per_hour: float | None
    end: datetime | None
    checks: Score
    repeats: Score

    @property
    def left(self) -> int:
        """Return how many tasks are neither annotated nor skipped."""
        return self.tasks - self.done - self.skipped


def progress(
    tasks: Iterable[Launched],
    annotations: Sequence[Annotation],
    answers: Mapping[str, Any],
    scheme: Scheme,
    now: datetime,
) -> list[Progress]:
    """Return the progress of each annotator in each round.

    ``tasks`` are the rows of launched.jsonl (a retired task is none), ``annotations`` the latest line of each,
    ``answers`` what is known of hidden checks.
    """
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for task in tasks:
        if task["state"] == "active":
            wanted[task["annotator"], task["round"]].add(task["task_id"])
    by_round: dict[tuple[str, str], list[Annotation]] = defaultdict(list)
    for row in annotations:
        by_round[row["annotator"], row["round"]].append(row)
    found = []
    for (annotator, name), keys in wanted.items():
        newest: dict[str, Annotation] = {}  # of each task
        for row in sorted(by_round[annotator, name], key=lambda r: r["updated_at"]):
            key = row["annotation_id"].partition(".")[0]
            if key in keys and row["status"] in ("submitted", "skipped"):
                newest[key] = row
        rows = list(newest.values())
        done = [r for r in rows if r["status"] == "submitted"]
        skipped = [r for r in rows if r["status"] == "skipped"]
        taken = [r["seconds"] for r in done if r["seconds"] is not None]
        pace, end = outlook(
            [r["created_at"] for r in rows], len(keys) - len(done) - len(skipped), now
        )
        found.append(
            Progress(
                annotator, name, len(keys), len(done), len(skipped),
                median(taken) if taken else None, pace, end,
                score([r for r in rows if r["purpose"] == "check"], answers, scheme),
                consistency(done, scheme),
            )
        )  # fmt: skip
    return found


def outlook(
    moments: Iterable[str], left: int, now: datetime
) -> tuple[float | None, datetime | None]:
    """Return tasks an hour at work, and when the work will end at the rate of all days so far.

    Time between two annotations counts as work unless it is longer than BREAK. None of either before two
    annotations; no end where nothing is left.
    """
    times = sorted(datetime.fromisoformat(moment) for moment in moments)
    if len(times) < 2:
        return None, None
    gaps = [b - a for a, b in pairwise(times) if b - a <= BREAK]
    worked = sum(gaps, timedelta())
    pace = 3600 * len(gaps) / worked.total_seconds() if worked else None
    passed = (max(now, times[-1]) - times[0]).total_seconds()
    end = now + timedelta(seconds=left * passed / len(times)) if left and passed else None
    return pace, end


def consistency(rows: Iterable[Annotation], scheme: Scheme) -> Score:
    """Return how many answers to repeated tasks are those given the first time."""
    first: dict[str, Annotation] = {}
    again = []
    for row in rows:
        if row["purpose"] == "repeat":
            again.append(row)
        elif row["purpose"] == "main":
            first[row["sentence_id"]] = row
    same = total = 0
    for row in again:
        before = first.get(row["sentence_id"])
        if before is None:
            continue
        for name in scheme.questions:
            total += 1
            same += row["labels"].get(name) == before["labels"].get(name)
    return Score(same, total)


def to_read(annotations: Iterable[Annotation]) -> list[Annotation]:
    """Return the annotations with a comment or a flag, the newest first."""
    marked = [r for r in annotations if r["status"] == "submitted" and (r["comment"] or r["flags"])]
    return sorted(marked, key=lambda row: str(row["updated_at"]), reverse=True)
