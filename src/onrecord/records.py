"""The rows that flow between stages: their types, reading, checking and atomic writing.

Stages meet in files, and this module is what they share of them. Offsets are half-open, in Unicode
code points, into an article's text; ``text[start:end]`` of the article is the sentence's text, always.
"""

import hashlib
import json
import os
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq


class BadInput(Exception):
    """Input that cannot be used: one line saying what was expected, what was found and where (exit 2)."""


class CheckFailed(Exception):
    """A check that the verb exists to make has failed (exit 1)."""


class Span(TypedDict):
    """A half-open ``[start, end)`` in code points of an article's text."""

    start: int
    end: int


class PlanRow(TypedDict):
    """One task for one annotator. ``task_id`` is our key in Label Studio (``data.onrecord_id``)."""

    task_id: str
    sentence_id: str
    annotator: str
    round: str
    position: int
    purpose: str
    suggestion_shown: bool
    inclusion_probability: float


class Annotation(TypedDict):
    """One annotator's answers to one task, as collected. ``seconds`` is null where no time was taken.

    ``purpose`` is one of PURPOSES, ``origin`` of ORIGINS. ``status`` is submitted, skipped, deleted (on the
    server; the answers stay readable) or rejected (broke a check when collected). A later line with the same ``annotation_id`` supersedes an earlier one.
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
    purpose: str
    status: str
    origin: str


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
    return next(origin for origin in ("simulated", "machine", "people") if origin in found)


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


def latest_annotations(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the last line of each ``annotation_id``, in order of first appearance."""
    return list({row["annotation_id"]: row for row in rows}.values())


def counted_annotations(
    rows: Iterable[Mapping[str, Any]], sha256_of: Mapping[str, str], purpose: str = "main"
) -> list[Mapping[str, Any]]:
    """Return the annotations that enter agreement, gold, splits and counts: one population, defined once.

    These are the latest lines that were submitted for ``purpose`` and made on the text that the sentence
    has now. ``sha256_of`` maps ``sentence_id`` to the hash of its present text; an annotation of another
    text, or of a sentence that is gone, is stale and left out.
    """
    return [
        row
        for row in latest_annotations(rows)
        if row["status"] == "submitted"
        and row["purpose"] == purpose
        and sha256_of.get(row["sentence_id"]) == row["text_sha256"]
    ]


FURNITURE_KINDS = (
    "headline", "deck", "byline", "dateline", "date", "caption", "credit", "promo", "comments", "bio", "cue",
)  # fmt: skip

SPAN_OF_FURNITURE = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("kind", pa.string())])

ARTICLES = pa.schema(
    [
        ("article_id", pa.string()),
        ("outlet", pa.string()),
        ("title", pa.string()),
        ("byline", pa.string()),
        ("published", pa.string()),
        ("url", pa.string()),
        ("text", pa.string()),
        ("sha256", pa.string()),
        ("group_id", pa.string()),
        ("copy_of", pa.string()),
        ("furniture", pa.list_(SPAN_OF_FURNITURE)),
        ("source_file", pa.string()),
    ]
)

SENTENCES = pa.schema(
    [
        ("sentence_id", pa.string()),
        ("article_id", pa.string()),
        ("group_id", pa.string()),
        ("index", pa.int32()),
        ("paragraph", pa.int32()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("text", pa.string()),
        ("furniture", pa.string()),
    ]
)

SPEAKERS = pa.schema(
    [
        ("sentence_id", pa.string()),
        ("speaker", pa.string()),
        ("speaker_name", pa.string()),
        ("attribution", pa.string()),
        ("cue", pa.string()),
        ("candidates", pa.list_(pa.string())),
        ("confidence", pa.float64()),
    ]
)

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


def require(path: str | Path, verb: str) -> Path:
    """Return ``path`` if it exists; else raise BadInput naming the verb that makes it."""
    if not Path(path).exists():
        raise BadInput(f"{path} is not there yet: run `onrecord {verb}` first")
    return Path(path)


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def swept(path: str | Path) -> Path:
    """Return the path, after what killed processes left of writing it is removed."""
    path = Path(path)
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        try:
            os.kill(int(left.name.split(".")[-2]), 0)
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except (ValueError, OSError):  # not ours, or of another user's process
            continue
    return path


def write_text(path: str | Path, text: str, *, mode: int | None = None) -> None:
    """Write UTF-8 text, newlines as they are; ``mode`` (such as 0o600) holds from the first byte on."""
    with atomic(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode or 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)


def write_json(path: str | Path, value: Any) -> None:
    """Write one JSON value, indented, keys in the order given."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def write_jsonl(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line."""
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def write_parquet(
    path: str | Path, rows: pa.Table | Iterable[Mapping[str, Any]], schema: pa.Schema
) -> None:
    """Write a table, or rows, as Parquet with exactly ``schema``; the same rows give the same bytes."""
    table = (
        rows.cast(schema)
        if isinstance(rows, pa.Table)
        else pa.Table.from_pylist(list(rows), schema)
    )
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_json(path: str | Path) -> Any:
    """Return the JSON value in a file; raises BadInput where it is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: expected JSON, found {error}") from error


def read_jsonl(path: str | Path, row_type: type | None = None) -> list[dict[str, Any]]:
    """Return the rows of a JSON Lines file, each checked against ``row_type`` (a TypedDict) if given."""
    rows = []
    try:
        with Path(path).open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    rows.append(parse_row(line, f"{path}, line {number}", row_type))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected JSON Lines in UTF-8, found {error}") from error
    return rows


def parse_row(line: str, where: str, row_type: type | None = None) -> dict[str, Any]:
    """Return one line's JSON object, checked; raises BadInput saying what was expected and where."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadInput(f"{where}: expected a JSON object, found {error}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{where}: expected a JSON object, found {type(row).__name__}")
    if row_type is not None:
        check_row(row, row_type, where)
    return row


def check_row(row: Mapping[str, Any], row_type: type, where: str) -> None:
    """Raise BadInput unless ``row`` has every required key of the TypedDict, each of its type."""
    for key, fits, optional in _keys(row_type):
        if key not in row:
            if optional:
                continue
            raise BadInput(
                f"{where}: expected the key {key!r}, found {', '.join(sorted(row)) or 'none'}"
            )
        if not fits(row[key]):
            raise BadInput(f"{where}: {key!r} is not as expected: found {row[key]!r}")


@cache
def _keys(row_type: type) -> tuple[tuple[str, Callable[[Any], bool], bool], ...]:
    """Return each key of a TypedDict, the check of its value, and whether it may be absent."""
    optional = row_type.__optional_keys__  # type: ignore[attr-defined]
    hints = get_type_hints(row_type)
    return tuple((key, _fits(hint), key in optional) for key, hint in hints.items())


@cache
def _fits(hint: Any) -> Callable[[Any], bool]:
    """Return the check of a value against a type, made once: a million rows are checked with it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        parts = [_fits(part) for part in arguments]
        return lambda value: any(fits(value) for fits in parts)
    if hint is type(None):
        return lambda value: value is None
    if origin is list:
        item = _fits(arguments[0])
        return lambda value: isinstance(value, list) and all(map(item, value))
    if origin is dict:
        key, item = _fits(arguments[0]), _fits(arguments[1])
        return lambda value: (
            isinstance(value, dict) and all(map(key, value)) and all(map(item, value.values()))
        )
    if hasattr(hint, "__required_keys__"):
        keys = _keys(hint)
        return lambda value: (
            isinstance(value, dict)
            and all(name in value and fits(value[name]) for name, fits, _ in keys)
        )
    if hint is float:
        return lambda value: isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    return lambda value: isinstance(value, hint)


def read_parquet(path: str | Path, schema: pa.Schema) -> pa.Table:
    """Return the table, its columns in the schema's order; raises BadInput where one is missing."""
    try:
        with pq.ParquetFile(path) as file:  # read_table would import pandas, half a second a verb
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise BadInput(f"{path}: expected a Parquet table, found {error}") from error
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise BadInput(
            f"{path}: expected the column {missing[0]!r}, found {', '.join(table.column_names)}"
        )
    return table.select(schema.names).cast(schema)


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256, in hex, of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
