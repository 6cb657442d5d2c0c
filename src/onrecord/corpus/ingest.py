"""Files to articles: decoded, hashed, titled, furniture marked, grouped with their copies."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from onrecord.corpus import dedupe
from onrecord.corpus.formats import FIELDS, article_files, checked_id, decode, raw_articles
from onrecord.corpus.furniture import MONTH, author_names, mark
from onrecord.records import ARTICLES, BadInput, text_sha256, write_parquet

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WRITTEN = re.compile(
    rf"(?P<m>{MONTH})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})"
    rf"|(?P<d2>\d{{1,2}})\s+(?P<m2>{MONTH}),?\s+(?P<y2>\d{{4}})"
    r"|(?P<y3>\d{4})-(?P<m3>\d\d)-(?P<d3>\d\d)",
    re.IGNORECASE,
)


def article(
    raw: Mapping[str, Any], known: Mapping[str, str | None], source_file: str
) -> dict[str, Any]:
    """
    Return a row of ``articles.parquet``, its group still to be found.

    ``raw`` is what the file says, ``known`` what a sidecar says of it: the sidecar is believed first, then
    the file's own fields, then what the text shows (headline, by-line and date line). Raises BadInput for
    an id or a text that cannot be used.
    """
    where, text = raw["where"], raw["text"]
    identifier = checked_id(known.get("id") or raw["id"], where)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput(f"{where}: expected text, found a lone surrogate, which is no character")
    if not text.strip("\ufeff \t\r\n\xa0"):
        raise BadInput(f"{where}: expected text, found an empty file")
    told = {field: known.get(field) or raw.get(field) for field in FIELDS}
    furniture = mark(text, title=told["title"], byline=told["byline"])
    shown = {
        f["kind"]: text[f["start"] : f["end"]]
        for f in reversed(furniture)
        if text[f["start"]]
        not in "-—–"  # a reader's letter is signed; that is not the article's by-line
    }
    return {
        "article_id": identifier,
        "outlet": told["outlet"],
        "title": told["title"] or shown.get("headline"),
        "byline": told["byline"] or names_shown(shown.get("byline")),
        "published": told["published"] or iso_date(shown.get("date")),
        "url": told["url"],
        "text": text,
        "sha256": text_sha256(text),
        "group_id": None,
        "copy_of": None,
        "furniture": furniture,
        "source_file": source_file,
    }


def names_shown(byline: str | None) -> str | None:
    """
    Return the names in a by-line as it stands in a text, or None where it has none.

    >>> names_shown("By Ana Roe, The Herald")
    'Ana Roe, The Herald'
    """
    return ", ".join(author_names(byline)) or None


def iso_date(said: str | None) -> str | None:
    """
    Return a date line's date as YYYY-MM-DD, or None where it says none.

    >>> iso_date("Monday, Sept. 8, 2025 at 6 a.m.")
    '2025-09-08'
    """
    found = WRITTEN.search(said or "")
    if not found:
        return None
    part = {name[0]: value for name, value in found.groupdict().items() if value}
    month = int(part["m"]) if part["m"].isdigit() else MONTHS.index(part["m"][:3].lower()) + 1
    try:
        return date(int(part["y"]), month, int(part["d"])).isoformat()
    except ValueError:
        return None


def read_sidecar(
    data: bytes, columns: Mapping[str, str], where: str
) -> dict[str, dict[str, str | None]]:
    """Return what a sidecar table says of each file, by the file's name."""
    reader = csv.DictReader(io.StringIO(decode(data, where)[0].removeprefix("\ufeff"), newline=""))
    key = columns["file"]
    if key not in (reader.fieldnames or []):
        raise BadInput(
            f"{where}: expected the column {key!r} (columns.file), found "
            f"{', '.join(reader.fieldnames or ['none'])}"
        )
    return {
        row[key]: {field: row.get(columns[field]) or None for field in FIELDS} for row in reader
    }


def sidecar_path(source: str, given: str | None) -> Path | None:
    """Return the sidecar of a source: the one given, else ``articles.csv`` in its folder or beside it."""
    if given:
        if not Path(given).is_file():
            raise BadInput(f"sidecar: expected a table, found nothing at {given}")
        return Path(given)
    folder = Path(source)
    places = [folder / "articles.csv", folder.parent / "articles.csv"] if folder.is_dir() else []
    return next((place for place in places if place.is_file()), None)


def without_twins(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows; raises BadInput at a second article with an id."""
    seen: dict[str, str] = {}
    for row in rows:
        if row["article_id"] in seen:
            raise BadInput(
                f"{row['source_file']}: expected ids that differ, found a second article with the id "
                f"{row['article_id']!r}; the first is in {seen[row['article_id']]}"
            )
        seen[row["article_id"]] = row["source_file"]
        yield row


def grouped(rows: list[dict[str, Any]], roots: list[int]) -> list[dict[str, Any]]:
    """
    Return the rows with ``group_id`` and ``copy_of``, ``roots`` being what :func:`dedupe.groups` found.

    The original of a group is the article published first, by date and then by id; the others are copies
    of it, and the group bears the least of its articles' ids.
    """
    members: dict[int, list[dict[str, Any]]] = {}
    for row, root in zip(rows, roots, strict=True):
        members.setdefault(root, []).append(row)
    for group in members.values():
        name = min(row["article_id"] for row in group)
        first = min(group, key=lambda row: (row["published"] or "9", row["article_id"]))[
            "article_id"
        ]
        for row in group:
            row["group_id"] = name
            row["copy_of"] = None if row["article_id"] == first else first
    return rows


def main(cfg: DictConfig) -> None:
    """Read the article files and write ``articles.parquet``."""
    files = article_files(str(cfg.articles))
    columns: dict[str, str] = OmegaConf.to_container(cfg.columns)  # type: ignore[assignment]
    sidecar = sidecar_path(str(cfg.articles), cfg.sidecar)
    known = read_sidecar(sidecar.read_bytes(), columns, str(sidecar)) if sidecar else {}
    rows = list(
        without_twins(
            article(raw, known.get(file.name, {}), file.name)
            for file in files
            for raw in raw_articles(file, columns)
        )
    )
    found = dedupe.sketch(
        [row["text"] for row in rows], bands=cfg.dedupe.bands, rows=cfg.dedupe.rows
    )
    roots = dedupe.groups(
        found,
        jaccard=cfg.dedupe.jaccard,
        containment=cfg.dedupe.containment,
        shared=cfg.dedupe.shared,
        bucket=cfg.dedupe.bucket,
    )
    path = Path(cfg.workspace) / "articles.parquet"
    write_parquet(path, grouped(rows, roots), ARTICLES)
    print(f"{len(rows)} articles in {len(set(roots))} groups in {path}")
