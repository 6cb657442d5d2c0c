"""Plan a campaign: who annotates what, in which order. Deterministic from the seed."""

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig, ListConfig

from onrecord.records import (
    SENTENCES,
    BadInput,
    PlanRow,
    read_parquet,
    require,
    write_jsonl,
    write_text,
)

Order = Literal["articles", "shuffled"]


def annotator_names(annotators: int | Sequence[str]) -> list[str]:
    """
    Return the pseudonyms: those given, or ``annotator-1`` to ``annotator-k`` for a number.

    Raises BadInput for none, a repeated one, or one that is no plain word.

    >>> annotator_names(2)
    ['annotator-1', 'annotator-2']
    """
    if isinstance(annotators, int):
        annotators = [f"annotator-{n}" for n in range(1, annotators + 1)]
    names = [str(name) for name in annotators]
    bad = [n for n in names if not n or not all(c.isalnum() or c in "-_." for c in n)]
    if not names or bad or len(set(names)) < len(names):
        raise BadInput(
            f"annotators: expected a number or a list of different pseudonyms, found {names!r}"
        )
    return names


def task_id(round_name: str, annotator: str, sentence_id: str, occurrence: int = 0) -> str:
    """
    Return our key of a task: 16 hex digits that tell nothing of its purpose.

    It depends on nothing but its arguments, so that planning again keeps the tasks that stay.
    ``occurrence`` counts the times that this annotator has met the sentence before.
    """
    words = "\n".join([round_name, annotator, sentence_id, str(occurrence)])
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def in_order(sentence_ids: Sequence[str], order: Order, seed: int) -> list[str]:
    """Return the sentences as they are (whole articles in order) or shuffled by the seed."""
    ids = list(sentence_ids)
    if order == "shuffled":
        random.Random(seed).shuffle(ids)
    return ids


def plan_rows(
    sentence_ids: Sequence[str],
    annotators: Sequence[str],
    *,
    order: Order = "articles",
    suggestions: bool = True,
    seed: int = 0,
) -> list[PlanRow]:
    """Return one row for each annotator and sentence: everyone annotates everything, in one order."""
    return [
        PlanRow(
            task_id=task_id("main", annotator, sentence),
            sentence_id=sentence,
            annotator=annotator,
            round="main",
            position=position,
            purpose="main",
            suggestion_shown=suggestions,
            inclusion_probability=1.0,
        )
        for annotator in annotators
        for position, sentence in enumerate(in_order(sentence_ids, order, seed), 1)
    ]


def to_annotate(sentences: Iterable[Mapping[str, Any]], *, send_furniture: bool) -> list[str]:
    """Return the ids of the sentences that annotators see: furniture only where it is asked for."""
    return [r["sentence_id"] for r in sentences if send_furniture or r["furniture"] is None]


def plan_page(rows: Sequence[PlanRow], *, title: str, seconds_per_task: float) -> str:
    """Return ``plan.md``: who annotates how many, and the hours to expect."""
    per = {
        a: sum(r["annotator"] == a for r in rows)
        for a in dict.fromkeys(r["annotator"] for r in rows)
    }
    lines = [
        f"# Plan of the campaign {title}",
        "",
        "| annotator | tasks | hours |",
        "|---|---|---|",
    ]
    lines += [f"| {a} | {n} | {n * seconds_per_task / 3600:.1f} |" for a, n in per.items()]
    return "\n".join(lines) + "\n"


def main(cfg: DictConfig) -> None:
    """Read the sentences, write ``plan.jsonl`` and ``plan.md``."""
    workspace = Path(cfg.workspace)
    require(workspace / "speakers.parquet", "attribute")
    table = read_parquet(require(workspace / "sentences.parquet", "segment"), SENTENCES)
    sentences = to_annotate(table.to_pylist(), send_furniture=cfg.campaign.send_furniture)
    if not sentences:
        raise BadInput(
            f"{workspace / 'sentences.parquet'}: expected sentences, found none to annotate"
        )
    annotators = annotator_names(
        list(cfg.annotators) if isinstance(cfg.annotators, ListConfig) else cfg.annotators
    )
    rows = plan_rows(
        sentences, annotators, order=cfg.order, suggestions=cfg.suggestions, seed=cfg.seed
    )
    write_jsonl(workspace / "plan.jsonl", rows)
    write_text(
        workspace / "plan.md",
        plan_page(rows, title=cfg.campaign.title, seconds_per_task=cfg.seconds_per_task),
    )
    print(
        f"{len(sentences)} sentences, {len(annotators)} annotators: {len(rows)} tasks "
        f"→ {workspace / 'plan.jsonl'}"
    )
