"""``adjudicate``: annotations to gold, by a declared policy; what it leaves undecided goes to an adjudicator.

Gold is decided here alone: every later stage reads gold.jsonl.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf

from onrecord.campaign import adjudication_round, collect
from onrecord.campaign.agreement.aggregation import calibrated
from onrecord.campaign.agreement.annotator_quality import (
    Known,
    check_annotations,
    known_labels,
    read_known,
)
from onrecord.campaign.agreement.long_table import NO_NAME, answers_of_annotations, given_label
from onrecord.campaign.backend import Address
from onrecord.core.errors import BadInput, CheckFailed
from onrecord.core.files import read_jsonl, write_jsonl
from onrecord.core.records import (
    MAX_NAME_WORDS,
    Annotation,
    GoldRow,
    UnresolvedRow,
    text_sha256,
)
from onrecord.core.votes import Versions, counted_annotations, votes
from onrecord.core.workspace import Workspace
from onrecord.scheme.instrument import versions_of
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme

Policy = Literal["unanimous", "majority", "model"]
POLICIES = ("unanimous", "majority", "model")
Probabilities = Mapping[str, Mapping[str, float]]  # sentence_id → label → probability


def vote(
    votes: Counter[str],
    policy: Policy,
    probabilities: Mapping[str, float] | None = None,
    threshold: float = 0.9,
) -> tuple[str, str] | None:
    """Return ``(label, decided_by)``, or None where the policy leaves it undecided.

    majority: more than half of the votes; a tie or a mere plurality is left to an adjudicator. model: the label
    whose probability by a calibrated annotator model reaches the threshold.

    >>> vote(Counter(favor=2, none=1), "majority")
    ('favor', 'majority')
    >>> vote(Counter(favor=2, none=2), "majority") is None
    True
    """
    if not votes:
        return None
    label, most = votes.most_common(1)[0]
    if most == votes.total():
        return label, "unanimous"
    if policy == "model" and probabilities:
        label = max(probabilities, key=probabilities.__getitem__)
        return (label, "model") if probabilities[label] >= threshold else None
    return (label, "majority") if policy == "majority" and 2 * most > votes.total() else None


def aggregate_gold(
    rows: Iterable[Annotation],
    adjudicated: Mapping[str, Annotation],
    scheme: Scheme,
    policy: Mapping[str, Policy],
    *,
    probabilities: Mapping[str, Probabilities] | None = None,
    threshold: float = 0.9,
    before: Iterable[GoldRow] = (),
) -> tuple[list[GoldRow], list[UnresolvedRow]]:
    """Return ``(gold rows, unresolved rows)`` of valid annotations.

    ``adjudicated`` maps sentence_id to an adjudicator's annotation, which decides every question it answers. A
    sentence is gold only when every question asked of it is decided; otherwise it is unresolved, with the open
    questions and their votes. ``policy`` is by question; ``probabilities`` are those of the questions decided by
    model. ``before`` is the earlier gold: what a model decided stays as long as the votes on it are the same.
    """
    earlier = {row["sentence_id"]: row for row in before}
    by_sentence: dict[str, list[Annotation]] = defaultdict(list)
    for row in rows:
        by_sentence[row["sentence_id"]].append(row)
    gold: list[GoldRow] = []
    unresolved: list[UnresolvedRow] = []
    for sentence, own in by_sentence.items():
        n_annotators = len({row["annotator"] for row in own})
        target_id = own[0]["target_id"]
        labels: dict[str, str | None] = {}
        decided_by: dict[str, str] = {}
        soft: dict[str, dict[str, float]] = {}
        undecided: dict[str, dict[str, int]] = {}
        final = adjudicated[sentence]["labels"] if sentence in adjudicated else {}
        for name, question in scheme.questions.items():
            if question.when and not scheme.asked(labels, name):
                labels[name] = None
                continue
            given = (given_label(row["labels"], name, scheme) for row in own)
            votes = Counter(label for label in given if label is not None)
            if votes:
                soft[name] = {k: n / votes.total() for k, n in votes.most_common()}
            adjudicator = final.get(name)
            outcome = (
                (adjudicator, "adjudicator")
                if adjudicator is not None
                else _decided_by_model(earlier.get(sentence), name, soft.get(name), n_annotators)
                or vote(
                    votes, policy[name], (probabilities or {}).get(name, {}).get(sentence), threshold
                )
            )  # fmt: skip
            if outcome:
                labels[name] = None if outcome[0] == NO_NAME else outcome[0]
                decided_by[name] = outcome[1]
            else:
                undecided[name] = dict(votes)
        if undecided:
            unresolved.append(
                {"sentence_id": sentence, "target_id": target_id, "open": undecided, "n_annotators": len(own)}
            )  # fmt: skip
        else:
            gold.append(
                {"sentence_id": sentence, "target_id": target_id, "labels": labels, "soft": soft,
                 "decided_by": decided_by, "n_annotators": n_annotators}
            )  # fmt: skip
    return gold, unresolved


def _decided_by_model(
    earlier: GoldRow | None, name: str, soft: Mapping[str, float] | None, n: int
) -> tuple[str, str] | None:
    """Return what a model decided before on the same votes: annotations of other sentences do not change it."""
    same = earlier and earlier["n_annotators"] == n and earlier["soft"].get(name) == soft
    if not earlier or not same or earlier["decided_by"].get(name) != "model":
        return None
    label = earlier["labels"][name]
    return (NO_NAME if label is None else label), "model"


def policies(given: Any, scheme: Scheme) -> dict[str, Policy]:
    """Return each question's policy from one word for all, or ``{question: policy}`` (majority by default).

    Raises BadInput for a question that the scheme lacks, or an unknown policy.
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


def model_probabilities(
    rows: Iterable[Annotation], scheme: Scheme, chosen: Mapping[str, Policy], known: Known
) -> tuple[dict[str, Probabilities], list[str]]:
    """Return the probabilities of each question that a model decides, and a line on each question's model.

    ``rows`` are the annotations of the campaign and of sentences whose answers are ``known``.
    """
    wanted = [name for name, policy in chosen.items() if policy == "model"]
    answers = answers_of_annotations(rows, scheme, {}, {}) if wanted else {}
    found: dict[str, Probabilities] = {}
    lines = []
    for name in wanted:
        own = answers[name]
        right = {s: k for s, k in known_labels(known, name).items() if s in own.place}
        posterior, choice = calibrated(own, right)
        found[name] = {
            task: dict(zip(own.labels, map(float, row), strict=True))
            for task, row in zip(own.tasks, posterior, strict=True)
        }
        by = f"{choice.model}, correlation {choice.correlation:g}, {len(right)} known answers"
        lines.append(f"model of {name}: {by}")
    return found, lines


def with_spans(
    gold: Iterable[GoldRow], rows: Iterable[Annotation], *, standoff: bool
) -> list[GoldRow]:
    """Return gold with the place of each speaker's name in its article, as it was annotated.

    With ``standoff``, a name of more than MAX_NAME_WORDS words is replaced by its span, so that gold can be
    committed and shared without the text.
    """
    spans = {
        (row["sentence_id"], row["labels"].get("speaker_name")): row["speaker_span"]
        for row in rows
        if row["speaker_span"]
    }
    found: list[GoldRow] = []
    for row in gold:
        labels, soft = dict(row["labels"]), dict(row["soft"])
        name = labels.get("speaker_name")
        span = spans.get((row["sentence_id"], name)) if name else None
        if standoff:
            if span and _is_long(name):
                labels["speaker_name"] = None
            if any(_is_long(given) for given in soft.get("speaker_name", {})):
                del soft["speaker_name"]
        found.append({**row, "labels": labels, "soft": soft, "speaker_span": span})
    return found


def _is_long(name: str | None) -> bool:
    return name is not None and len(name.split()) > MAX_NAME_WORDS


def flips(before: Iterable[GoldRow], after: Iterable[GoldRow]) -> list[str]:
    """Return a line for each answer of gold that has changed."""
    old = {row["sentence_id"]: row["labels"] for row in before}
    return [
        f"{row['sentence_id']}: {name} {old[row['sentence_id']].get(name)} → {label}"
        for row in after
        if row["sentence_id"] in old
        for name, label in row["labels"].items()
        if old[row["sentence_id"]].get(name) != label
    ]


def reopened(before: Iterable[GoldRow], unresolved: Iterable[UnresolvedRow]) -> list[str]:
    """Return a line for each sentence that was gold and is undecided now, with its open questions."""
    old = {row["sentence_id"] for row in before}
    return [
        f"{row['sentence_id']}: {', '.join(row['open'])}"
        for row in unresolved
        if row["sentence_id"] in old
    ]


def read_valid(
    workspace: Workspace, scheme: Scheme, versions: Versions
) -> tuple[list[Annotation], list[Annotation], list[Annotation], int]:
    """Return the annotations that count, the adjudicators', those of checks and qualification, and how many are apart.

    Apart are votes of other versions. Raises BadInput where no annotation counts, and for an unknown label.
    """
    source = workspace.require(Workspace.annotations)
    rows = read_annotations(source)
    texts = workspace.read_sentences().select(["sentence_id", "text"]).to_pylist()
    sha256_of = {s["sentence_id"]: text_sha256(s["text"]) for s in texts}
    valid = counted_annotations(rows, sha256_of, versions=versions)
    if not valid:
        raise BadInput(f"{source}: expected valid annotations, found none")
    adjudications = counted_annotations(rows, sha256_of, "adjudication", versions)
    checks = check_annotations(rows, sha256_of, versions)
    for row in [*valid, *adjudications]:
        asked = {name: row["labels"].get(name) for name in scheme.questions}
        scheme.check(asked, f"annotation {row['annotation_id']}")
    apart = len(votes(rows, sha256_of, versions=versions)) - len(valid)
    return valid, adjudications, checks, apart


def check_settings(workspace: Workspace, round_action: str | None, threshold: Any) -> None:
    """Raise BadInput for a round that cannot be opened or closed, or a threshold that is no probability."""
    if round_action not in (None, "open", "close"):
        raise BadInput(f"round: expected open, close or null, found {round_action!r}")
    if not isinstance(threshold, int | float) or not 0.5 < threshold <= 1:
        raise BadInput(f"threshold: expected a probability above 0.5, up to 1, found {threshold!r}")
    if round_action == "close":
        launched = read_jsonl(workspace.require(Workspace.launched))
        if not any(row["round"] == adjudication_round.ROUND for row in launched):
            raise BadInput(
                "no adjudication round is open: run `onrecord adjudicate round=open` first"
            )


def summary(
    before: Sequence[GoldRow],
    gold: Sequence[GoldRow],
    unresolved: Sequence[UnresolvedRow],
    apart: int,
) -> str:
    """Return what was decided and how, and what has changed since the gold ``before``, in lines."""
    how = Counter(by for row in gold for by in row["decided_by"].values())
    lines = [
        f"gold: {len(gold)} sentences ({', '.join(f'{n} answers {k}' for k, n in how.most_common())})",
        f"unresolved: {len(unresolved)} sentences, for an adjudicator",
    ]
    if apart:
        lines.append(
            f"kept apart: {apart} votes under another version of the target, scheme or guidelines than others on "
            "their sentence, or than the target now (`campaign.compatible_versions` says which are compatible)"
        )
    for what, found in (
        ("flipped", flips(before, gold)),
        ("open again", reopened(before, unresolved)),
    ):
        lines += [f"{what} {line}" for line in found[:20]]
        lines += [f"… and {len(found) - 20} more {what}"] if len(found) > 20 else []
    return "\n".join(lines)


def main(cfg: DictConfig) -> None:
    """Write gold.jsonl and unresolved.jsonl; open or close the adjudication round; report what changed."""
    workspace, scheme = Workspace(Path(cfg.workspace)), load_scheme()
    given = OmegaConf.to_object(cfg.policy) if OmegaConf.is_config(cfg.policy) else cfg.policy
    chosen = policies(given, scheme)
    check_settings(workspace, cfg.round, cfg.threshold)
    if cfg.round == "close":
        with suppress(CheckFailed):  # what is in quarantine was said, and does not count
            collect.main(cfg)
    versions = versions_of(cfg.campaign, scheme)
    valid, adjudications, checks, apart = read_valid(workspace, scheme, versions)
    before = read_jsonl(workspace.gold, GoldRow) if workspace.gold.exists() else []
    probabilities, models = model_probabilities(
        [*valid, *checks], scheme, chosen, read_known(workspace)
    )
    gold, unresolved = aggregate_gold(
        valid, {row["sentence_id"]: row for row in adjudications}, scheme, chosen,
        probabilities=probabilities, threshold=cfg.threshold, before=before,
    )  # fmt: skip
    gold = with_spans(gold, [*valid, *adjudications], standoff=cfg.campaign.release == "standoff")
    write_jsonl(workspace.gold, gold)
    write_jsonl(workspace.unresolved, unresolved)
    print("\n".join([*models, summary(before, gold, unresolved, apart)]))
    if cfg.round == "open":
        print(
            adjudication_round.open_round(
                workspace,
                [row["sentence_id"] for row in unresolved],
                valid,
                campaign=OmegaConf.to_container(cfg.campaign, resolve=True),
                address=Address(**cfg.labelstudio),
                adjudicators=cfg.adjudicators,
                allow_incomplete=cfg.incomplete == "ok",
                seed=int(cfg.seed),
            )
        )
