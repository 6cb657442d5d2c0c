"""``adjudicate``: annotations to gold, by a declared policy; what it cannot decide is left to a person.

This is the one resolver of gold: every later stage reads gold.jsonl.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf

from onrecord.campaign import adjudication_round, collect
from onrecord.campaign.agreement.annotator_quality import probabilities
from onrecord.campaign.agreement.long_table import NO_NAME, answers_of_annotations
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, require, write_jsonl
from onrecord.core.records import MAX_NAME_WORDS, GoldRow, counted_annotations, text_sha256
from onrecord.core.workspace import Workspace
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme

Policy = Literal["unanimous", "majority", "model"]
POLICIES = ("unanimous", "majority", "model")
Chances = Mapping[str, Mapping[str, float]]  # sentence_id → label → probability


def decide(
    votes: Counter[str],
    policy: Policy,
    chances: Mapping[str, float] | None = None,
    threshold: float = 0.9,
) -> tuple[str, str] | None:
    """Return ``(label, decided_by)`` or None where the policy leaves it open.

    majority: more than half of the votes; a tie or a mere plurality is a person's to settle. model: the
    label whose probability (``chances``, by one-coin Dawid-Skene over all annotators) reaches the threshold.

    >>> decide(Counter(favor=2, none=1), "majority")
    ('favor', 'majority')
    >>> decide(Counter(favor=2, none=2), "majority") is None
    True
    """
    label, most = votes.most_common(1)[0]
    if most == votes.total():
        return label, "unanimous"
    if policy == "model":
        best = max(chances or {}, key=lambda name: (chances or {})[name], default=None)
        return (best, "model") if best and (chances or {})[best] >= threshold else None
    return (label, "majority") if policy == "majority" and 2 * most > votes.total() else None


def resolve(
    rows: Iterable[Mapping[str, Any]],
    adjudicated: Mapping[str, Mapping[str, Any]],
    scheme: Scheme,
    policy: Policy | Mapping[str, Policy],
    *,
    chances: Mapping[str, Chances] | None = None,
    threshold: float = 0.9,
    before: Iterable[Mapping[str, Any]] = (),
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return ``(gold rows, unresolved rows)`` of annotations that count.

    ``adjudicated`` maps sentence_id to an adjudicator's annotation, which settles every question it
    answers. A sentence is gold only when every question asked of it is decided; else it is unresolved,
    with the questions that are open and their votes. ``policy`` is one for all questions, or by question;
    ``chances`` gives probabilities by question for those decided by model. ``before`` is the gold there
    was: what a model decided stays as long as the votes on it are the same.
    """
    earlier = {row["sentence_id"]: row for row in before}
    by_sentence: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_sentence[row["sentence_id"]].append(row)
    gold, unresolved = [], []
    for sentence, own in by_sentence.items():
        labels: dict[str, str | None] = {}
        decided_by, soft, open_votes = {}, {}, {}
        settled = adjudicated.get(sentence, {}).get("labels", {})
        for name, question in scheme.questions.items():
            if question.when and not scheme.asked(labels, name):
                labels[name] = None
                continue
            votes = Counter(
                v for row in own if (v := _vote(row["labels"], name, scheme)) is not None
            )
            if votes:
                soft[name] = {k: n / votes.total() for k, n in votes.most_common()}
            outcome = (
                (settled[name], "adjudicator")
                if settled.get(name) is not None
                else _held(earlier.get(sentence), name, soft.get(name), len({r["annotator"] for r in own}))
                or decide(
                    votes, policy if isinstance(policy, str) else policy.get(name, "majority"),
                    ((chances or {}).get(name) or {}).get(sentence), threshold,
                ) if votes else None
            )  # fmt: skip
            if outcome:
                labels[name] = None if outcome[0] == NO_NAME else outcome[0]
                decided_by[name] = outcome[1]
            else:
                open_votes[name] = dict(votes)
        about = {"sentence_id": sentence, "target_id": own[0]["target_id"]}
        if open_votes:
            unresolved.append({**about, "open": open_votes, "n_annotators": len(own)})
        else:
            gold.append(
                {**about, "labels": labels, "soft": soft, "decided_by": decided_by,
                 "n_annotators": len({row["annotator"] for row in own})}
            )  # fmt: skip
    return gold, unresolved


def _held(
    earlier: Mapping[str, Any] | None, name: str, soft: Mapping[str, float] | None, n: int
) -> tuple[str, str] | None:
    """Return what a model decided before on the same votes: other sentences' annotations do not unsettle it."""
    same = earlier and earlier["n_annotators"] == n and earlier["soft"].get(name) == soft
    if not earlier or not same or earlier["decided_by"].get(name) != "model":
        return None
    label = earlier["labels"][name]
    return (NO_NAME if label is None else label), "model"


def policies(given: Any, scheme: Scheme) -> dict[str, Policy]:
    """Return each question's policy from one word for all, or ``{question: policy}`` (majority where unsaid).

    Raises BadInput for a question that the scheme lacks or a policy that there is not.
    """
    by_question = (
        dict(given) if isinstance(given, Mapping) else dict.fromkeys(scheme.questions, given)
    )
    for question, policy in by_question.items():
        if question not in scheme.questions:
            raise BadInput(f"policy: the scheme has no question {question!r}")
        if policy not in POLICIES:
            raise BadInput(f"policy: expected one of {', '.join(POLICIES)}, found {policy!r}")
    return {name: by_question.get(name, "majority") for name in scheme.questions}


def model_chances(
    rows: Sequence[Mapping[str, Any]], scheme: Scheme, chosen: Mapping[str, Policy]
) -> dict[str, Chances]:
    """Return the probabilities of each question that a model decides."""
    wanted = [name for name, policy in chosen.items() if policy == "model"]
    if not wanted:
        return {}
    answers = answers_of_annotations(rows, scheme, {}, {})
    return {name: probabilities(answers[name]) for name in wanted}


def with_spans(
    gold: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]], *, standoff: bool
) -> list[dict[str, Any]]:
    """Return gold with the place of each speaker's name in its article, as it was annotated.

    With ``standoff`` a name of more than MAX_NAME_WORDS words is left to its span: gold can then be
    committed and shared without the text.
    """
    spans = {
        (row["sentence_id"], row["labels"].get("speaker_name")): row["speaker_span"]
        for row in rows
        if row["speaker_span"]
    }
    found = []
    for row in gold:
        labels, soft = dict(row["labels"]), dict(row["soft"])
        name = labels.get("speaker_name")
        span = spans.get((row["sentence_id"], name)) if name else None
        if standoff:
            if span and _long(name):
                labels["speaker_name"] = None
            if any(_long(given) for given in soft.get("speaker_name", {})):
                del soft["speaker_name"]
        found.append({**row, "labels": labels, "soft": soft, "speaker_span": span})
    return found


def _long(name: str | None) -> bool:
    return name is not None and len(name.split()) > MAX_NAME_WORDS


def _vote(labels: Mapping[str, str | None], question: str, scheme: Scheme) -> str | None:
    answer = labels.get(question)
    if answer is None and scheme.questions[question].kind == "name":
        return None if scheme.asked(labels, question) else NO_NAME
    return answer


def flips(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each answer of gold that is another one than before."""
    old = {row["sentence_id"]: row["labels"] for row in before}
    return [
        f"{row['sentence_id']}: {name} {old[row['sentence_id']].get(name)} → {label}"
        for row in after
        if row["sentence_id"] in old
        for name, label in row["labels"].items()
        if old[row["sentence_id"]].get(name) != label
    ]


def reopened(
    before: Iterable[Mapping[str, Any]], unresolved: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return a line for each sentence that was gold and is decided no longer, with the questions now open."""
    old = {row["sentence_id"] for row in before}
    return [
        f"{row['sentence_id']}: {', '.join(row['open'])}"
        for row in unresolved
        if row["sentence_id"] in old
    ]


def main(cfg: DictConfig) -> None:
    """Write gold.jsonl and unresolved.jsonl; open or close the round of what needs a person; say what flipped."""
    workspace = Path(cfg.workspace)
    scheme = load_scheme()
    chosen = policies(
        OmegaConf.to_object(cfg.policy) if OmegaConf.is_config(cfg.policy) else cfg.policy, scheme
    )
    if cfg.round not in (None, "open", "close"):
        raise BadInput(f"round: expected open, close or null, found {cfg.round!r}")
    if not isinstance(cfg.threshold, int | float) or not 0.5 < cfg.threshold <= 1:
        raise BadInput(
            f"threshold: expected a probability above 0.5, up to 1, found {cfg.threshold!r}"
        )
    if cfg.round == "close":
        launched = read_jsonl(require(workspace / "launched.jsonl", "launch"))
        if not any(row["round"] == adjudication_round.ROUND for row in launched):
            raise BadInput(
                "no adjudication round is open: run `onrecord adjudicate round=open` first"
            )
        collect.main(cfg)
    sentences = Workspace(workspace).read_sentences().to_pylist()
    hashes = {s["sentence_id"]: text_sha256(s["text"]) for s in sentences}
    path, rows = (
        workspace / "gold.jsonl",
        read_annotations(require(workspace / "annotations.jsonl", "collect")),
    )
    counted = counted_annotations(rows, hashes)
    if not counted:
        raise BadInput(
            f"{workspace / 'annotations.jsonl'}: expected annotations that count, found none"
        )
    adjudicated = {
        row["sentence_id"]: row for row in counted_annotations(rows, hashes, purpose="adjudication")
    }
    for row in [*counted, *adjudicated.values()]:
        asked = {name: row["labels"].get(name) for name in scheme.questions}
        scheme.check(asked, f"annotation {row['annotation_id']}")
    before = read_jsonl(path, GoldRow) if path.exists() else []
    gold, unresolved = resolve(
        counted, adjudicated, scheme, chosen, chances=model_chances(counted, scheme, chosen),
        threshold=cfg.threshold, before=before,
    )  # fmt: skip
    gold = with_spans(
        gold, [*counted, *adjudicated.values()], standoff=cfg.campaign.release == "standoff"
    )
    write_jsonl(path, gold)
    write_jsonl(workspace / "unresolved.jsonl", unresolved)
    how = Counter(by for row in gold for by in row["decided_by"].values())
    print(
        f"gold: {len(gold)} sentences ({', '.join(f'{n} answers {k}' for k, n in how.most_common())})"
    )
    print(f"unresolved: {len(unresolved)} sentences, for a person")
    for what, lines in (
        ("flipped", flips(before, gold)),
        ("open again", reopened(before, unresolved)),
    ):
        for line in lines[:20]:
            print(f"{what} {line}")
        if len(lines) > 20:
            print(f"… and {len(lines) - 20} more {what}")
    if cfg.round == "open":
        print(
            adjudication_round.open_round(cfg, unresolved, counted)
            if unresolved
            else "nothing to adjudicate"
        )
