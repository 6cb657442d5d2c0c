"""One article: what its file, a sidecar and its own text say of it, as a row of ``articles.parquet``."""

import csv
import io
from collections.abc import Mapping
from datetime import date
from typing import Any

from onrecord.core.errors import BadInput
from onrecord.core.records import ARTICLE_ID, ArticleRow, text_sha256
from onrecord.corpus.furniture.furniture import PATTERNS, TEXTS, author_names, mark
from onrecord.corpus.readers.decode import decode
from onrecord.corpus.readers.formats import FIELDS
from onrecord.corpus.splitter import BLANKS

FileFields = Mapping[str, str | None]  # what a sidecar says of one file


def article(raw: Mapping[str, Any], sidecar: FileFields, source_file: str) -> ArticleRow:
    """Return a row of ``articles.parquet``, its group still to be found.

    ``raw`` is what the file says, ``sidecar`` what a sidecar says of it: the sidecar is believed first, then
    the file's own fields, then what the text shows (headline, by-line and date line). Raises BadInput for
    an id or a text that cannot be used.
    """
    where, text = raw["where"], raw["text"]
    identifier = sidecar.get("id") or raw["id"]
    if not ARTICLE_ID.fullmatch(identifier) or identifier in {".", ".."}:
        raise BadInput(
            f"{where}: expected an article id of 1 to 128 letters, digits, '.', '_' or '-', "
            f"found {identifier[:140]!r}"
        )
    if not text.strip(BLANKS):
        raise BadInput(f"{where}: expected text, found an empty one")
    known = {field: sidecar.get(field) or raw.get(field) for field in FIELDS}
    for field, value in {**known, "text": text}.items():
        if value and (found := unusable(value)):
            raise BadInput(f"{where}: expected text, found {found} of the {field}")
    furniture = mark(text, title=known["title"], byline=known["byline"])
    # A reader's letter is signed after a dash; that is not the article's by-line.
    shown = [f for f in reversed(furniture) if text[f["start"]] not in "-—–"]
    from_text = {f["kind"]: text[f["start"] : f["end"]] for f in shown}
    return {
        "article_id": identifier,
        "outlet": known["outlet"],
        "title": known["title"] or from_text.get("headline"),
        "byline": known["byline"] or ", ".join(author_names(from_text.get("byline"))) or None,
        "published": known["published"] or iso_date(from_text.get("date")),
        "url": known["url"],
        "text": text,
        "sha256": text_sha256(text),
        "group_id": None,
        "copy_of": None,
        "furniture": furniture,
        "source_file": source_file,
    }


def unusable(value: str) -> str | None:
    """Return what no file or no database takes of a text, and where: a NUL or a lone surrogate; else None."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return f"a lone surrogate (U+{ord(value[error.start]):04X}) at {error.start}"
    return f"a NUL at {value.index(chr(0))}" if "\0" in value else None


def iso_date(line: str | None) -> str | None:
    """Return a date line's date as YYYY-MM-DD, or None where it has none.

    >>> iso_date("Monday, Sept. 8, 2025 at 6 a.m.")
    '2025-09-08'
    """
    found = PATTERNS["WRITTEN_DATE"].search(line or "")
    if not found:
        return None
    part = {name[0]: value for name, value in found.groupdict().items() if value}
    months = TEXTS["month_names"].split()
    month = int(part["m"]) if part["m"].isdigit() else months.index(part["m"][:3].lower()) + 1
    try:
        return date(int(part["y"]), month, int(part["d"])).isoformat()
    except ValueError:
        return None


def read_sidecar(
    data: bytes, columns: Mapping[str, str], where: str
) -> dict[str, dict[str, str | None]]:
    """Return what a sidecar table says of each file, by the file's name."""
    text = decode(data, where)[0].removeprefix("\ufeff")
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    key = columns["file"]
    if key not in (reader.fieldnames or []):
        raise BadInput(
            f"{where}: expected the column {key!r} (columns.file), found "
            f"{', '.join(reader.fieldnames or ['none'])}"
        )
    found: dict[str, dict[str, str | None]] = {}
    try:
        for row in reader:
            fields = {field: row.get(columns[field]) or None for field in FIELDS}
            if found.setdefault(row[key], fields) != fields:
                raise BadInput(
                    f"{where}, line {reader.line_num}: expected each file once, or with the same values, "
                    f"found {row[key]!r} a second time"
                )
    except csv.Error as error:
        raise BadInput(f"{where}, line {reader.line_num}: expected csv, found {error}") from error
    return found
