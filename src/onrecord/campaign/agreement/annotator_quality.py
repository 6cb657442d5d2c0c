"""The quality of each annotator: agreement with the rest, known answers, repeats, pace, label bias, models' skill."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from onrecord.campaign.agreement.aggregation import dawid_skene, mace
from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import counts_of
from onrecord.core.agreement_report import CountedShare, Pace
from onrecord.core.files import read_jsonl, read_object
from onrecord.core.intervals import Floats, Ints, Scale, Score, effective_groups, interval
from onrecord.core.records import Annotation
from onrecord.core.votes import Versions, counted_annotations
from onrecord.core.workspace import Workspace

Known = Mapping[str, Mapping[str, str | None]]  # sentence_id → question → the right answer
OUTLYING = 3.5  # robust z-scores of the logarithm of seconds: Iglewicz & Hoaglin (1993)


def shares_with_intervals(hits: Floats, of: Floats, groups: Ints, scale: Scale) -> list[Score]:
    """Return ``value`` = sum of a column of hits / sum of ``of``, with intervals over groups if there are enough.

    ``hits`` has shape (n, columns), ``of`` and ``groups`` (n,). Null where ``of`` sums to nothing.
    """
    kept = of != 0
    _, at = np.unique(groups[kept], return_inverse=True)
    above = np.stack([np.bincount(at, column) for column in hits[kept].T], axis=1)
    below = np.bincount(at, of[kept]).astype(np.float64)
    values = above.sum(axis=0) / below.sum() if len(below) else np.full(hits.shape[1], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        without = (above.sum(axis=0) - above) / (below.sum() - below)[:, None]
    n, groups_worth = int(kept.sum()), float(effective_groups(below))
    return [
        {**interval(float(value), column, scale, groups=groups_worth), "n": n}
        for value, column in zip(values, without.T, strict=True)
    ]


def agreement_with_rest(answers: Answers) -> dict[str, Score]:
    """Return per annotator the mean share of a task's other annotators who gave the same label."""
    same, others = matches_with_rest(answers)
    share = np.where(others > 0, same / np.maximum(others, 1), 0.0)
    return {
        name: shares_with_intervals(
            share[mine][:, None], (others[mine] > 0).astype(float), answers.group[answers.task[mine]], "share"
        )[0]
        for name, mine in answers.by_annotator.items()
    }  # fmt: skip


def matches_with_rest(answers: Answers) -> tuple[Floats, Floats]:
    """Return, per annotation, how many others gave its task the same label, and how many others there are."""
    counts = counts_of(answers)
    return counts[answers.task, answers.label] - 1, counts[answers.task].sum(axis=1) - 1


def label_bias(answers: Answers) -> dict[str, dict[str, Score]]:
    """Return per annotator and label: their share of it less the share of the rest on the same tasks.

    Above 0 the annotator uses the label more than the others. Labels that neither used are left out.
    """
    counts = counts_of(answers)
    found: dict[str, dict[str, Score]] = {}
    for name, given in answers.by_annotator.items():
        mine = given[counts[answers.task[given]].sum(axis=1) > 1]
        rest = counts[answers.task[mine]].copy()
        rest[np.arange(len(mine)), answers.label[mine]] -= 1
        n = rest.sum(axis=1)
        if not len(mine):
            continue
        own = np.eye(len(answers.labels))[answers.label[mine]]
        lean = own - rest / n[:, None]
        groups = answers.group[answers.task[mine]]
        intervals = shares_with_intervals(lean, np.ones(len(mine)), groups, "difference")
        found[name] = {
            label: intervals[k]
            for k, label in enumerate(answers.labels)
            if own[:, k].any() or rest[:, k].any()
        }
    return found


def check_scores(rows: Iterable[Annotation], known: Known) -> dict[str, dict[str, CountedShare]]:
    """Return per annotator and question the share of right answers to tasks whose answers are ``known``."""
    return _shares(
        (row["annotator"], question, row["labels"][question] == answer)
        for row in rows
        for question, answer in known.get(row["sentence_id"], {}).items()
        if question in row["labels"]
    )


def consistency(
    repeats: Iterable[Annotation], main: Iterable[Annotation]
) -> dict[str, dict[str, CountedShare]]:
    """Return per annotator and question how often a repeated task was answered as it was first."""
    first = {(row["annotator"], row["sentence_id"]): row["labels"] for row in main}
    return _shares(
        (row["annotator"], question, row["labels"].get(question) == answer)
        for row in repeats
        for question, answer in first.get((row["annotator"], row["sentence_id"]), {}).items()
    )


def _shares(hits: Iterable[tuple[str, str, bool]]) -> dict[str, dict[str, CountedShare]]:
    """Return annotator → question → the share of hits, from ``(annotator, question, hit)``."""
    found: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for annotator, question, hit in hits:
        found[annotator][question].append(hit)
    return {
        annotator: {q: {"value": float(np.mean(own)), "n": len(own)} for q, own in of.items()}
        for annotator, of in found.items()
    }


def pace(rows: Sequence[Annotation]) -> dict[str, Pace]:
    """Return per annotator the median seconds a task, and how many tasks were far too fast or too slow.

    Far: the logarithm of the seconds lies OUTLYING robust z-scores (median, MAD) from that of all annotators.
    """
    timed = [row for row in rows if row["seconds"]]
    if not timed:
        return {}
    logs = np.log([row["seconds"] or 0.0 for row in timed])
    middle = np.median(logs)
    spread = 1.4826 * np.median(np.abs(logs - middle)) or np.inf
    z = (logs - middle) / spread
    found: dict[str, Pace] = {}
    for name in sorted({row["annotator"] for row in timed}):
        mine = np.array([row["annotator"] == name for row in timed])
        found[name] = {
            "seconds": float(np.exp(np.median(logs[mine]))), "n": int(mine.sum()),
            "too_fast": int((z[mine] < -OUTLYING).sum()), "too_slow": int((z[mine] > OUTLYING).sum()),
        }  # fmt: skip
    return found


def annotator_models(answers: Answers) -> dict[str, dict[str, float]]:
    """Return per annotator the skill that Dawid-Skene and MACE estimate, as probabilities.

    ``dawid_skene``: that their answer is the true label. ``mace``: that they answer by the task, not by habit.
    """
    skills = {"dawid_skene": dawid_skene(answers).skill, "mace": mace(answers).skill}
    return {
        annotator: {model: float(skill[code]) for model, skill in skills.items()}
        for code, annotator in enumerate(answers.annotators)
    }


def read_known(workspace: Workspace, source: str | None = None) -> Known:
    """Return the known answers in the file ``source``, by default those that plan set apart; none is no error."""
    if source:
        return {row["sentence_id"]: row["labels"] for row in read_jsonl(source)}
    if not workspace.known_answers.exists():
        return {}
    found = read_object(workspace.known_answers, ["answers"], "plan")["answers"]
    return {sentence: answer["labels"] for sentence, answer in found.items()}


def check_annotations(
    rows: Sequence[Annotation], sha256_of: Mapping[str, str], versions: Versions
) -> list[Annotation]:
    """Return the annotations of hidden checks and of the qualification that count."""
    return [
        row
        for purpose in ("check", "qualification")
        for row in counted_annotations(rows, sha256_of, purpose, versions)
    ]


def known_labels(known: Known, question: str) -> dict[str, str]:
    """Return sentence → the known answer to one question, where there is one."""
    return {s: label for s, of in known.items() if (label := of.get(question)) is not None}
