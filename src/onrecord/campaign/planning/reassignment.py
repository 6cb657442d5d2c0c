"""People who come and go midway: tasks change hands, are asked again or rest, and all others stay as they are.

Changes are kept in ``reassignments.jsonl`` and made again, in their order, on every new plan.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, NotRequired, TypedDict, cast

from onrecord.campaign.planning.assignment import task_id
from onrecord.core.errors import BadInput
from onrecord.core.records import Annotation, InstrumentVersion, PlanRow

PRACTICE = ("qualification", "check")  # what everybody has, a newcomer too
AGAIN = ("skipped", "rejected", "outdated", "all")


class Reassignment(TypedDict):
    """One change. ``to`` has the task from now on; "" is nobody, ``annotator`` itself is asked again.

    With ``paused`` it is about all that an annotator has left: it rests, or (false) does so no longer.
    """

    at: str
    annotator: str
    round: NotRequired[str]
    purpose: NotRequired[str]
    sentence_id: NotRequired[str]
    to: NotRequired[str]
    paused: NotRequired[bool]
    reason: NotRequired[str]


class Changes(NamedTuple):
    """What the command line asks for; see conf/plan.yaml. ``idle`` is in days."""

    replace: Mapping[str, str | Sequence[str] | None]
    add: Sequence[str]
    idle: float | None
    again: Mapping[str, str]
    pause: Sequence[str]
    resume: Sequence[str]


def latest_of_tasks(annotations: Iterable[Annotation]) -> dict[str, Annotation]:
    """Return the last annotation of each task by its id: a submitted one before any other."""
    found: dict[str, Annotation] = {}
    for row in annotations:
        key = row["annotation_id"].partition(".")[0]
        if key not in found or row["status"] == "submitted" or found[key]["status"] != "submitted":
            found[key] = row
    return found


def is_left(row: PlanRow, done: Mapping[str, Annotation]) -> bool:
    """Return whether a task is neither submitted nor skipped."""
    found = done.get(row["task_id"])
    return found is None or found["status"] not in ("submitted", "skipped")


def changes_of(
    rows: Sequence[PlanRow],
    done: Mapping[str, Annotation],
    asked: Changes,
    versions: Sequence[InstrumentVersion],
    now: datetime,
) -> list[Reassignment]:
    """Return the changes that were asked for; raises BadInput for a name that the plan lacks, or has already."""
    names = list(dict.fromkeys(row["annotator"] for row in rows))
    known = {*asked.replace, *asked.again, *asked.pause, *asked.resume}
    if unknown := sorted(known - {*names}):
        raise BadInput(
            f"the plan has no annotator {unknown[0]!r}: expected one of {', '.join(names)}"
        )
    if old := sorted({*asked.add} & {*names}):
        raise BadInput(f"add: {old[0]} is in the plan already")
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    leavers: dict[str, Sequence[str] | None] = {
        name: [to] if isinstance(to, str) else to for name, to in asked.replace.items()
    }
    if asked.idle is not None:
        leavers |= dict.fromkeys(idle_since(rows, done, now - timedelta(days=asked.idle)), None)
    found = [
        Reassignment(at=at, annotator=name, paused=paused)
        for paused, chosen in ((True, asked.pause), (False, asked.resume))
        for name in chosen
    ]
    found += hand_over(rows, done, leavers, at)
    found += share_with(rows, done, asked.add, at)
    for name, what in asked.again.items():
        if what not in AGAIN:
            raise BadInput(f"again.{name}: expected one of {', '.join(AGAIN)}, found {what!r}")
        found += [
            _change(row, name, at)
            for row in rows
            if (row["annotator"], row["purpose"] == "repeat") == (name, False)
            and _is_to_ask(done.get(row["task_id"]), what, versions)
        ]
    return found


def idle_since(
    rows: Sequence[PlanRow], done: Mapping[str, Annotation], moment: datetime
) -> list[str]:
    """Return who has tasks left and annotated nothing since ``moment``, though somebody did before."""
    last: dict[str, str] = {}
    for row in done.values():
        last[row["annotator"]] = max(last.get(row["annotator"], ""), row["updated_at"])
    limit = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    left = dict.fromkeys(row["annotator"] for row in rows if is_left(row, done))
    if not last or min(last.values()) > limit:
        return []
    return [name for name in left if last.get(name, "") < limit]


def hand_over(
    rows: Sequence[PlanRow],
    done: Mapping[str, Annotation],
    leavers: Mapping[str, Sequence[str] | None],
    at: str,
) -> list[Reassignment]:
    """Return who takes over what each leaver has left: of those named (None: all who stay) the one with least left.

    Nobody gets a sentence that they have already; where nobody else is free it stays with the leaver. A leaver's
    practice and repeats, which would mean nothing to another, are dropped.
    """
    having, load = _having(rows), Counter(r["annotator"] for r in rows if is_left(r, done))
    away = {*leavers, *(r["annotator"] for r in rows if r.get("paused"))}
    staying = [name for name in dict.fromkeys(r["annotator"] for r in rows) if name not in away]
    found = []
    for row in rows:
        leaver = row["annotator"]
        if leaver not in leavers or not is_left(row, done):
            continue
        if row["purpose"] != "main":
            found.append(_change(row, "", at))
            continue
        chosen = leavers[leaver] or staying
        free = [n for n in chosen if row["sentence_id"] not in having.get(n, ())]
        if free:
            to = min(free, key=lambda name: load[name])
            load[to] += 1
            having.setdefault(to, set()).add(row["sentence_id"])
            found.append(_change(row, to, at))
    return found


def share_with(
    rows: Sequence[PlanRow], done: Mapping[str, Annotation], newcomers: Sequence[str], at: str
) -> list[Reassignment]:
    """Return which tasks go to newcomers: from whoever has most left, their last ones, until all have the same left."""
    left: dict[str, list[PlanRow]] = {}
    for row in rows:
        if row["purpose"] == "main" and is_left(row, done):
            left.setdefault(row["annotator"], []).append(row)
    having: dict[str, set[str]] = {name: set() for name in newcomers}
    found = []
    target = sum(map(len, left.values())) // max(1, len(left) + len(newcomers))
    for place in range(target * len(newcomers)):
        to = newcomers[place % len(newcomers)]
        for giver in sorted(left, key=lambda name: -len(left[name])):
            mine = left[giver]
            other = next((r for r in reversed(mine) if r["sentence_id"] not in having[to]), None)
            if other is not None and len(mine) > target:
                mine.remove(other)
                having[to].add(other["sentence_id"])
                found.append(_change(other, to, at))
                break
    return found


def reassigned(
    rows: Sequence[PlanRow],
    changes: Sequence[Reassignment],
    sha256_of: Mapping[str, str],
    done: Mapping[str, Annotation],
    earlier: Sequence[Reassignment] = (),
) -> list[PlanRow]:
    """Return the plan after all ``changes``; one of a task that the plan has no more changes nothing.

    ``earlier`` changes are in ``rows`` already. Who was not in the plan before also gets the practice and the hidden
    checks that everybody has.
    """
    plan = {(r["round"], r["purpose"], r["annotator"], r["sentence_id"]): r for r in rows}
    last = Counter[tuple[str, str]]()
    for row in rows:
        last[row["annotator"], row["round"]] = max(
            last[row["annotator"], row["round"]], row["position"]
        )
    asked = Counter(_place(change) for change in earlier if change.get("to") == change["annotator"])
    paused = {c["annotator"]: c["paused"] for c in [*earlier, *changes] if "paused" in c}
    there = {row["annotator"] for row in rows}
    there |= {name for c in earlier for name in (c["annotator"], c.get("to", ""))}
    practice = {(r["round"], r["sentence_id"]): r for r in rows if r["purpose"] in PRACTICE}

    def take(row: PlanRow, to: str, occurrence: int) -> None:
        name, sentence = row["round"], row["sentence_id"]
        last[to, name] += 1
        plan[name, row["purpose"], to, sentence] = cast(
            "PlanRow",
            {
                **row, "annotator": to, "position": last[to, name],
                "task_id": task_id(name, to, sentence, sha256_of[sentence], occurrence),
            },
        )  # fmt: skip

    for change in changes:
        if "paused" in change:
            continue
        place = _place(change)
        to = change["to"]
        if place not in plan:
            continue
        row = plan.pop(place)
        if not to:
            continue
        if to not in there:
            there.add(to)
            for other in practice.values():
                take(other, to, 0)
        asked[place] += to == change["annotator"]
        # 0 is the first time and 1 a repeat, whose keys stay theirs
        take(row, to, 1 + asked[place] if to == change["annotator"] else 0)
    order = {name: i for i, name in enumerate(dict.fromkeys(n for *_, n, _ in plan))}
    found = []
    for row in sorted(plan.values(), key=lambda r: order[r["annotator"]]):
        rests = paused.get(row["annotator"]) and is_left(row, done)
        kept = {key: value for key, value in row.items() if key != "paused"}
        found.append(cast("PlanRow", {**kept, "paused": True} if rests else kept))
    return found


def _place(change: Reassignment) -> tuple[str, str, str, str]:
    return change["round"], change["purpose"], change["annotator"], change["sentence_id"]


def _having(rows: Iterable[PlanRow]) -> dict[str, set[str]]:
    having: dict[str, set[str]] = {}
    for row in rows:
        having.setdefault(row["annotator"], set()).add(row["sentence_id"])
    return having


def _change(row: PlanRow, to: str, at: str) -> Reassignment:
    return {
        "at": at, "annotator": row["annotator"], "round": row["round"], "purpose": row["purpose"],
        "sentence_id": row["sentence_id"], "to": to,
    }  # fmt: skip


def _is_to_ask(
    found: Annotation | None, what: str, versions: Collection[InstrumentVersion]
) -> bool:
    """Return whether a task's annotation is one of those to ask again."""
    if found is None or what == "all":
        return found is not None
    if what == "outdated":
        now = list(versions)[-1] if versions else None
        return now is not None and any(
            found.get(key) != now.get(key, found.get(key))
            for key in ("guidelines_version", "scheme_version", "target_version")
        )
    return found["status"] == what
