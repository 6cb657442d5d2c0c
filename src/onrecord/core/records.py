"""The rows that flow between stages: their types, their ids, and which of them count.

Stages meet in files, and this module is what they share of them. Offsets are half-open, in Unicode
code points, into an article's text; ``text[start:end]`` of the article is the sentence's text, always.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Any, NamedTuple, NotRequired, TypedDict, get_type_hints

import pyarrow as pa

from onrecord.core.errors import BadInput


class Span(TypedDict):
    """A half-open ``[start, end)`` in code points of an article's text."""

    start: int
    end: int


class FurnitureSpan(Span):
    """A span of an article that is furniture, and of which of FURNITURE_KINDS."""

    kind: str


class ArticleText(TypedDict):
    """Of an article, what its sentences are made from. ``furniture`` may be null in a table not made by us."""

    article_id: str
    group_id: str | None
    text: str
    furniture: list[FurnitureSpan] | None


class ArticleRow(TypedDict):
    """A row of articles.parquet (ARTICLES). ``sha256`` is of the text's UTF-8; ``published`` is ISO 8601."""

    article_id: str
    outlet: str | None
    title: str | None
    byline: str | None
    published: str | None
    url: str | None
    text: str
    sha256: str
    group_id: str | None
    copy_of: str | None
    furniture: list[FurnitureSpan] | None
    source_file: str | None


class SentenceRow(TypedDict):
    """A row of sentences.parquet (SENTENCES). ``start`` and ``end`` are of the article's text.

    ``index`` and ``paragraph`` count from 0 within the article.
    """

    sentence_id: str
    article_id: str
    group_id: str | None
    index: int
    paragraph: int
    start: int
    end: int
    text: str
    furniture: str | None


class SentenceSpan(NamedTuple):
    """A sentence as segmented: offsets, its paragraph's number, the kind of furniture or None."""

    start: int
    end: int
    paragraph: int
    furniture: str | None


MAX_CANDIDATES = 7  # names to choose from: as many as annotators have keys for


class _SentenceKey(TypedDict):
    sentence_id: str


class Suggestion(TypedDict):
    """A suggested speaker of a sentence. ``attribution`` is direct, indirect, mixed or none.

    ``candidates`` are names to choose from, best first; ``confidence`` is from 0 to 1.
    """

    speaker: str | None
    speaker_name: str | None
    attribution: str
    cue: str | None
    candidates: list[str]
    confidence: float


class SpeakerRow(_SentenceKey, Suggestion):
    """A row of speakers.parquet (SPEAKERS)."""


class Assignment(TypedDict):
    """One task for one annotator. ``task_id`` is our key in the back end (``data.onrecord_id``)."""

    task_id: str
    sentence_id: str
    annotator: str
    round: str
    purpose: str
    suggestion_shown: bool


class PlanRow(Assignment):
    """A row of plan.jsonl. ``position`` counts within the annotator's round; a ``paused`` task is not launched."""

    position: int
    inclusion_probability: float
    paused: NotRequired[bool]


class Launched(Assignment):
    """A task as the back end has it: the plan's row, and its numbers there (``ls_task_id`` is the task's).

    ``state`` is active, or retired where the plan dropped it but somebody had annotated it. ``target_version`` and
    ``content_sha256`` are of what it shows.
    """

    text_sha256: str
    target_version: NotRequired[int]
    content_sha256: NotRequired[str]
    server: str
    project_id: int
    ls_task_id: int
    user_id: int
    state: str


class Annotation(TypedDict):
    """One annotator's answers to one task, as collected. ``seconds`` is null where no time was taken.

    ``purpose`` is one of PURPOSES, ``origin`` of ORIGINS. ``status`` is submitted, skipped, deleted (on the
    server, and the deletion accepted; the answers stay readable) or, from earlier versions, rejected. A later line
    with the same ``annotation_id`` supersedes an earlier one. ``source_id`` is SERVER/PROJECT/TASK/ANNOTATION by the
    back end's numbers (none for rows read from files).
    """

    annotation_id: str
    sentence_id: str
    annotator: str
    round: str
    target_id: str
    labels: dict[str, str | None]
    speaker_span: Span | None
    flags: list[str]
    comment: str
    text_sha256: str
    seconds: float | None
    created_at: str
    updated_at: str
    suggestion_shown: bool
    guidelines_version: str
    scheme_version: int
    target_version: NotRequired[int]  # 1 where a line of an earlier version has none
    purpose: str
    status: str
    origin: str
    source_id: NotRequired[str]


class Quarantined(TypedDict):
    """An answer that could not be read or does not count, at an ``address``, with its ``cure``.

    ``source_id`` is as an annotation's, or SERVER/PROJECT of a project that is gone. ``reopen`` says that another
    person than the task's annotator has answered it, so that ``launch`` asks the annotator again. ``result`` is the
    answer as the back end has it.
    """

    source_id: str
    task_id: str
    annotator: str
    problem: str
    cure: str
    address: str
    reopen: bool
    result: Any


class InstrumentVersion(TypedDict):
    """A row of versions.jsonl: the instrument in force ``since`` a moment of the back end's clock (ISO 8601)."""

    since: str
    guidelines_version: str
    scheme_version: int
    labels_sha256: str
    target_version: NotRequired[int]  # these are absent from lines of earlier versions
    guidelines_sha256: NotRequired[str]
    target_sha256: NotRequired[str]


class ShippedLabel(TypedDict):
    """Labels that come with a campaign: offsets, hash and answers, never text of the sentence."""

    sentence_id: str
    annotator: str
    labels: dict[str, str | None]
    speaker_span: Span | None
    flags: list[str]
    text_sha256: str
    origin: str
    comment: NotRequired[str]
    seconds: NotRequired[float | None]


PURPOSES = ("main", "qualification", "check", "repeat", "adjudication")
ORIGINS = ("people", "machine", "simulated")


def origin_of(origins: Iterable[str], declared: str) -> str:
    """Return who made the labels: of what annotations say and the campaign declares, the furthest from people.

    >>> origin_of(["people", "simulated"], "people")
    'simulated'
    """
    found = {*origins, declared}
    return next(origin for origin in reversed(ORIGINS) if origin in found)


MAX_NAME_WORDS = 5  # of a speaker's name that may be given without the text


class GoldRow(TypedDict):
    """The decided answer to each question of one sentence toward one target.

    ``speaker_span`` is where the article has the speaker's name; in a stand-off campaign it stands for a
    name of more than MAX_NAME_WORDS words.
    """

    sentence_id: str
    target_id: str
    labels: dict[str, str | None]
    soft: dict[str, dict[str, float]]
    decided_by: dict[str, str]
    n_annotators: int
    speaker_span: NotRequired[Span | None]


class UnresolvedRow(TypedDict):
    """A sentence whose answers need an adjudicator: ``open`` maps each undecided question to its votes by label."""

    sentence_id: str
    target_id: str
    open: dict[str, dict[str, int]]
    n_annotators: int


FURNITURE_KINDS = (
    "headline", "deck", "byline", "dateline", "date", "caption", "credit", "promo", "comments", "bio", "cue",
)  # fmt: skip

_ARROW_TYPES = {
    str: pa.string(), str | None: pa.string(), int: pa.int64(), float: pa.float64(),
    list[str]: pa.list_(pa.string()),
}  # fmt: skip


def _schema(row_type: type, **others: pa.DataType) -> pa.Schema:
    """Return the columns of a row type, in the order of its keys; ``others`` are the types of some of them."""
    hints = get_type_hints(row_type)
    return pa.schema({name: others.get(name) or _ARROW_TYPES[hints[name]] for name in hints})


ARTICLES = _schema(ArticleRow, furniture=pa.list_(pa.struct(list(_schema(FurnitureSpan)))))
SENTENCES = _schema(SentenceRow, index=pa.int32(), paragraph=pa.int32())
SPEAKERS = _schema(SpeakerRow)

ARTICLE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def sentence_id(article_id: str, start: int, end: int) -> str:
    """Return the id of a sentence: nothing but its article's id and its offsets.

    >>> sentence_id("a1", 0, 12)
    'a1:0-12'
    """
    return f"{article_id}:{start}-{end}"


def parse_sentence_id(identifier: str) -> tuple[str, int, int]:
    """Return ``(article_id, start, end)``; raises BadInput for anything that is no sentence id.

    >>> parse_sentence_id("a1:0-12")
    ('a1', 0, 12)
    """
    match = re.fullmatch(rf"({ARTICLE_ID.pattern}):(\d+)-(\d+)", identifier)
    if not match:
        raise BadInput(f"expected a sentence id ARTICLE:START-END, found {identifier!r}")
    return match[1], int(match[2]), int(match[3])


def row_id(sentence: str, target: str) -> str:
    """Return the id of a sentence's row toward one of several targets, the target in words."""
    return f"{sentence} → {target}"


def sentence_of(row: str, target: str) -> str:
    """Return the sentence's id in the id of its row toward a target; an id without the target is the sentence's.

    >>> sentence_of(row_id("a:0-5", "fees"), "fees"), sentence_of("a:0-5", "fees")
    ('a:0-5', 'a:0-5')
    """
    return row.removesuffix(row_id("", target))


def text_sha256(text: str) -> str:
    """Return the SHA-256, in hex, of the text's UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
