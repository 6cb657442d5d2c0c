"""The campaign's files joined into the columns of a dataset: ``gold`` and ``annotations``.

Furniture is left out of ``gold`` and marked in ``annotations``. Speakers that a model may use come from
suggestions, never from gold: a feature must not know more than prediction will.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from onrecord.core.errors import BadInput
from onrecord.core.records import (
    PURPOSES,
    Annotation,
    GoldRow,
    SpeakerRow,
    parse_sentence_id,
    text_sha256,
)
from onrecord.core.text_normalization import normalized
from onrecord.core.votes import Versions, counted_annotations
from onrecord.dataset.features import Columns
from onrecord.scheme.scheme import Scheme


@dataclass(frozen=True)
class JoinedGold:
    """The columns of ``gold`` (no split yet), and the sentences left out of them: reason → sentence ids."""

    columns: Columns
    left_out: dict[str, list[str]]


def join_gold(
    gold: Sequence[GoldRow],
    sentences: pa.Table,
    articles: pa.Table,
    speakers: pa.Table,
    annotations: Iterable[Annotation],
    *,
    scheme: Scheme,
    targets: Mapping[str, str],
    target_id: str,
    context: int = 2,
) -> JoinedGold:
    """Return one row for each gold sentence and target, in the order of ``sentences``.

    ``targets`` maps each learnt question to its target in words; the answers to all of them are in the column
    of the first. ``target_id`` is the campaign's. ``annotations`` (those that count) give the span of a
    speaker's name. A row whose answer is undecided, and furniture, are left out and listed.
    Raises BadInput for gold of an unknown sentence, target or label.
    """
    s = sentences.to_pydict()
    position = {sentence: i for i, sentence in enumerate(s["sentence_id"])}
    article_of = {a["article_id"]: a for a in articles.drop_columns(["text"]).to_pylist()}
    suggested: dict[str, SpeakerRow] = {r["sentence_id"]: r for r in speakers.to_pylist()}
    before, after = contexts(s["article_id"], s["text"], s["furniture"], context)
    spans, long_names = name_spans(annotations), names_from_spans(gold, articles)
    question_column = next(iter(targets))
    kept = scheme.without([question for question in targets if question != question_column])
    columns: Columns = {}
    left_out: dict[str, list[str]] = {"furniture": [], "undecided": []}
    check_gold(gold, position, scheme, target_id)
    for row in sorted(gold, key=lambda r: (position[r["sentence_id"]], r["target_id"])):
        sentence, i = row["sentence_id"], position[row["sentence_id"]]
        if s["furniture"][i] is not None:
            left_out["furniture"].append(sentence)
            continue
        article, suggestion = article_of[s["article_id"][i]], suggested.get(sentence)
        name = row["labels"].get("speaker_name") or long_names.get(sentence)
        start, end = spans.get((sentence, name), (None, None))
        for question, target in targets.items():
            if row["labels"].get(question) is None:
                left_out["undecided"].append(sentence)
                continue
            labels = row["labels"] | {
                question_column: row["labels"][question],
                "speaker_name": name,
            }
            soft = row["soft"] | {question_column: row["soft"].get(question, {})}
            _append(columns, {
                "sentence_id": sentence, "article_id": s["article_id"][i], "group_id": article["group_id"],
                "outlet": article["outlet"], "published": article["published"], "text": s["text"][i],
                "context_before": before[i], "context_after": after[i], "target": target,
                **{q: labels.get(q) for q in kept.questions}, **soft_columns(soft, kept),
                "suggested_speaker": suggestion and suggestion["speaker"],
                "suggested_speaker_name": suggestion and suggestion["speaker_name"],
                "speaker_start": start, "speaker_end": end, "n_annotators": row["n_annotators"],
                "unanimous": row["decided_by"].get(question) == "unanimous",
                "copy_of": article["copy_of"], "text_sha256": text_sha256(s["text"][i]),
            })  # fmt: skip
    if columns:
        columns["is_copy"] = repeated(columns, columns["article_id"], columns["copy_of"])
    return JoinedGold(columns, left_out)


def check_gold(
    gold: Iterable[GoldRow], sentences: Collection[str], scheme: Scheme, target_id: str
) -> None:
    """Raise BadInput for gold of a sentence that is not among ``sentences``, of another target or label."""
    for row in gold:
        where = f"gold {row['sentence_id']!r}"
        if row["sentence_id"] not in sentences:
            raise BadInput(f"{where} is not in sentences.parquet: run `onrecord adjudicate` again")
        if row["target_id"] != target_id:
            raise BadInput(
                f"{where}: target {row['target_id']!r} is not this campaign's ({target_id})"
            )
        scheme.check(row["labels"], where)


def contexts(
    articles: Sequence[str], texts: Sequence[str], furniture: Sequence[str | None], size: int
) -> tuple[list[str], list[str]]:
    """Return for each sentence the ``size`` sentences before and after it in its article, without furniture.

    >>> contexts(["a", "a", "a", "b"], ["One.", "Ad.", "Two.", "Three."], [None, "promo", None, None], 2)
    (['', 'One.', 'One.', ''], ['Two.', 'Two.', '', ''])
    """
    before, after = [""] * len(texts), [""] * len(texts)
    for order, found in ((range(len(texts)), before), (range(len(texts) - 1, -1, -1), after)):
        article, window = None, []  # type: tuple[str | None, list[str]]
        for i in order:
            if articles[i] != article:
                article, window = articles[i], []
            found[i] = " ".join(window if found is before else reversed(window))
            if furniture[i] is None and size:
                window = [*window, texts[i]][-size:]
    return before, after


def name_spans(
    annotations: Iterable[Annotation],
) -> dict[tuple[str, str | None], tuple[int, int]]:
    """Return where the article names a speaker: (sentence, name) → (start, end), of the first annotation."""
    spans: dict[tuple[str, str | None], tuple[int, int]] = {}
    for row in annotations:
        span, name = row["speaker_span"], row["labels"].get("speaker_name")
        if span is not None and name is not None:
            spans.setdefault((row["sentence_id"], name), (span["start"], span["end"]))
    return spans


def names_from_spans(gold: Iterable[GoldRow], articles: pa.Table) -> dict[str, str]:
    """Return the names that stand-off gold gives by their span alone: sentence → name in its article."""
    spans = {
        row["sentence_id"]: span
        for row in gold
        if (span := row.get("speaker_span")) and row["labels"].get("speaker_name") is None
    }
    wanted = sorted({parse_sentence_id(sentence)[0] for sentence in spans})
    kept = articles.filter(pc.is_in(articles["article_id"], pa.array(wanted, pa.string())))
    text = dict(zip(kept["article_id"].to_pylist(), kept["text"].to_pylist(), strict=True))
    return {
        sentence: text[parse_sentence_id(sentence)[0]][span["start"] : span["end"]]
        for sentence, span in spans.items()
        if parse_sentence_id(sentence)[0] in text
    }


def soft_columns(soft: Mapping[str, Mapping[str, float]], scheme: Scheme) -> dict[str, Any]:
    """Return the soft column of each question with labels: shares in the scheme's order, or null."""
    return {
        f"{q.name}_soft": [soft[q.name].get(n, 0.0) for n in q.names] if soft.get(q.name) else None
        for q in scheme.questions.values()
        if q.kind == "label"
    }


def repeated(
    columns: Columns, articles: Sequence[str], copy_of: Sequence[str | None]
) -> list[bool]:
    """Return for each row whether it repeats a sentence of another article of its group.

    Of the sentences that copies repeat, the one in the article that is itself no copy (``copy_of`` null)
    is counted, else the first; sentences are the same if their normalised words and target are.
    """
    texts = map(normalized, columns["text"])
    keys = list(zip(columns["group_id"], columns["target"], texts, strict=True))
    counted: dict[Any, tuple[bool, int]] = {}
    for i, (key, original) in enumerate(zip(keys, copy_of, strict=True)):
        candidate = (original is not None, i)
        counted[key] = min(counted.get(key, candidate), candidate)
    return [articles[counted[key][1]] != article for key, article in zip(keys, articles, strict=True)]  # fmt: skip


def valid_for_any_purpose(
    annotations: Sequence[Annotation], sentences: pa.Table, versions: Versions | None = None
) -> list[Annotation]:
    """Return the annotations of every purpose that count on the sentences' present text."""
    sha256_of = {
        sentence: text_sha256(text)
        for sentence, text in zip(
            sentences["sentence_id"].to_pylist(), sentences["text"].to_pylist(), strict=True
        )
    }
    return [
        row for p in PURPOSES for row in counted_annotations(annotations, sha256_of, p, versions)
    ]


def join_annotations(
    annotations: Sequence[Annotation],
    sentences: pa.Table,
    articles: pa.Table,
    *,
    scheme: Scheme,
    in_gold: set[str],
) -> Columns:
    """Return one row for each annotation, sorted by sentence, annotator and id: raw labels, all purposes."""
    known = sentences.select(["sentence_id", "article_id", "furniture"]).to_pydict()
    position = {sentence: i for i, sentence in enumerate(known["sentence_id"])}
    group_of = dict(
        zip(articles["article_id"].to_pylist(), articles["group_id"].to_pylist(), strict=True)
    )
    kept = ("annotation_id", "sentence_id", "annotator", "round", "purpose", "target_id", "flags",
        "comment", "seconds", "created_at", "updated_at", "suggestion_shown", "guidelines_version",
        "scheme_version", "origin", "text_sha256")  # fmt: skip
    columns: Columns = {}
    for row in sorted(
        annotations,
        key=lambda r: (position[r["sentence_id"]], r["annotator"], r["annotation_id"]),
    ):
        scheme.check(row["labels"], f"annotation {row['annotation_id']!r}")
        i, span = position[row["sentence_id"]], row["speaker_span"]
        _append(columns, {name: cast(dict[str, Any], row)[name] for name in kept} | {
            **{q: row["labels"].get(q) for q in scheme.questions},
            "article_id": known["article_id"][i], "group_id": group_of[known["article_id"][i]],
            "furniture": known["furniture"][i], "speaker_start": span and span["start"],
            "speaker_end": span and span["end"], "in_gold": row["sentence_id"] in in_gold,
        })  # fmt: skip
    return columns


def _append(columns: Columns, row: Mapping[str, Any]) -> None:
    """Add a row to columns: a million rows as dicts would take a GiB more."""
    for name, found in row.items():
        columns.setdefault(name, []).append(found)
