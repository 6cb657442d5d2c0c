"""The pieces of work of `ingest`: each read into files of its own, which stay for the next run.

A run that was interrupted goes on where it stopped, and a later one reads only the pieces whose files changed.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, write_json
from onrecord.core.records import ARTICLES
from onrecord.core.tables import read_arrow, write_arrow
from onrecord.corpus import columns as arrow
from onrecord.corpus import dedupe
from onrecord.corpus.readers.articles import Known, article
from onrecord.corpus.readers.formats import FIELDS, Raw, raw_articles
from onrecord.corpus.readers.sources import MB, Part, ends_piece, shown, suffix
from onrecord.corpus.unchanged import rules_hash

AT_ONCE = 1000  # articles held at a time …
ASIDE = (*(field for field in FIELDS if field != "text"), "encoding")
LETTERS = 1 << 23  # … or code points of their texts: a few long articles are as much


def ingest_shard(
    shard: tuple[Sequence[Part], Mapping[str, Known]],
    *,
    folder: str,
    columns: Mapping[str, str],
    limits: Mapping[str, float],
    bands: int,
    rows: int,
) -> str:
    """Read a piece of work into files of its own in ``folder``, unless they are there, and return their name.

    ``BATCH.arrow`` holds articles without groups, ``BATCH.sketches`` what :mod:`dedupe` compares of them;
    ``NAME.json``, which is written last, says which batches there are, what could not be read and what was
    not UTF-8. The batches of a table that is not read in ranges of bytes are named by what they hold: where a
    row has changed, the others are parsed again, and no more.
    """
    parts, known = shard
    about = [rules_hash(), list(map(stamp, parts)), known, dict(columns), dict(limits), bands, rows]
    name = sha256_of(about)
    whole, first = Path(folder) / f"{name}.json", parts[0].first
    if whole.exists():
        said = read_json(whole)
        if not said["bad"] or said["first"] == first:  # complaints name a place in the file
            return name
    by_content = suffix(parts[0].path) in {".csv", ".jsonl.gz", ".parquet"}
    rules = sha256_of([rules_hash(), parts[0].name, known, bands, rows]) if by_content else ""
    raws = ((p, raw) for p in parts for raw in raw_articles(p, columns, **limits))
    names: list[str] = []
    notes: list[dict[str, Any]] = []
    for batch in batches(raws, by_content):
        names.append(content_of(batch, rules) if by_content else f"{name}-{len(names)}")
        path, place = Path(folder) / names[-1], place_of(batch) if by_content else first
        done = path.with_suffix(".json")
        note = read_json(done) if done.exists() else None
        if note is None or (note["first"] != place and (note["bad"] or note["encodings"])):
            found, told = articles_of(batch, known)
            texts = [row["text"] for row in found]
            dedupe.sketch(texts, bands=bands, rows=rows).save(path.with_suffix(".sketches"))
            write_arrow(path.with_suffix(".arrow"), arrow.table(found, ARTICLES))
            note = {"first": place, **told}
            write_json(done, note)
        notes.append(note)
    said = {kind: [row for note in notes for row in note[kind]] for kind in ("bad", "encodings")}
    write_json(whole, {"first": first, "batches": names, **said})
    for batch_name in [] if by_content else names:
        (Path(folder) / f"{batch_name}.json").unlink()
    return name


def sha256_of(value: Any) -> str:
    """Return a short hash of a value of JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


Batch = list[tuple[Part, Raw | BadInput]]


def content_of(batch: Batch, rules: str) -> str:
    """Return a hash of what a batch's rows say, wherever they stand, and of the rules that make articles of them."""
    digest = hashlib.sha256(rules.encode())
    for _, raw in batch:
        if isinstance(raw, BadInput):
            digest.update(repr(str(raw)).encode())
        else:
            digest.update(repr([*map(raw.get, ASIDE), len(raw["text"])]).encode())
            digest.update(raw["text"].encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def place_of(batch: Batch) -> str:
    """Return where a batch begins."""
    raw = batch[0][1]
    return str(raw) if isinstance(raw, BadInput) else str(raw["where"])


def stamp(part: Part) -> list[Any]:
    """Return what tells whether a part has changed: its bytes for a range of lines, else its file's times."""
    path = Path(part.path)
    if suffix(path) == ".jsonl" and path.is_file() and os.access(path, os.R_OK):
        left, digest = (part.last or 0) - part.first, hashlib.sha256()
        with path.open("rb") as file:
            file.seek(part.first)
            while left > 0 and (data := file.read(min(left, MB))):
                digest.update(data)
                left -= len(data)
        return [part.name, digest.hexdigest()]
    try:
        now = path.stat()
    except OSError as error:  # a link to nothing: refused when it is read
        return [part.name, error.errno]
    place = [part.name, str(path.resolve()), part.first, part.last]
    return [*place, now.st_size, now.st_mtime_ns, now.st_ctime_ns]


def batches(raws: Iterable[tuple[Part, Raw | BadInput]], by_content: bool) -> Iterator[Batch]:
    """Yield raw articles, as many at a time as are held at once; or fewer, cut where an article's id says."""
    held: Batch = []
    letters = 0
    for part, raw in raws:
        held.append((part, raw))
        told = False
        if not isinstance(raw, BadInput):
            letters += len(raw["text"])
            told = by_content and ends_piece(repr(raw["id"]).encode(), len(held), AT_ONCE)
        if told or len(held) == AT_ONCE or letters >= LETTERS:
            yield held
            held, letters = [], 0
    if held:
        yield held


def articles_of(
    batch: Sequence[tuple[Part, Raw | BadInput]], known: Mapping[str, Known]
) -> tuple[list[dict[str, Any]], dict[str, list[Any]]]:
    """Return the rows of raw articles, and notes: which were ``bad``, and which ``encodings`` were guessed."""
    found: list[dict[str, Any]] = []
    notes: dict[str, list[Any]] = {"bad": [], "encodings": []}
    for part, raw in batch:
        try:
            if isinstance(raw, BadInput):
                raise raw
            found.append(article(raw, known.get(part.name, {}), part.name))
        except BadInput as error:
            notes["bad"].append({"file": part.name, "error": shown(str(error))})
            continue
        if raw["encoding"] != "utf-8":
            notes["encodings"].append(f"{raw['where']} ({raw['encoding']})")
    return found, notes


def with_sidecar(
    pieces: Iterable[Sequence[Part]], known: Mapping[str, Known]
) -> list[tuple[Sequence[Part], dict[str, Known]]]:
    """Return each piece of work with what the sidecar says of its files, by path or else by bare name."""

    def told(part: Part) -> Known:
        return known.get(part.name) or known.get(Path(part.name).name) or {}

    return [(parts, {p.name: told(p) for p in parts if told(p)}) for parts in pieces]


@dataclass(frozen=True)
class Pieces:
    """The files that the pieces of work left in ``folder``, in the order of the work."""

    folder: Path
    names: Sequence[str]

    @cached_property
    def said(self) -> list[Mapping[str, Any]]:
        """What each piece's note says."""
        return [read_json(self.folder / f"{name}.json") for name in self.names]

    def files(self, ending: str) -> list[Path]:
        """Return each batch's file of one kind."""
        return [self.folder / f"{name}{ending}" for said in self.said for name in said["batches"]]

    def rows(self, *names: str, without: Set[int] = frozenset()) -> Iterator[tuple[Any, ...]]:
        """Yield some columns' values, article by article, those ``without`` left out."""
        tables = (read_arrow(path, names) for path in self.files(".arrow"))
        rows = (zip(*(arrow.values(t[name]) for name in names), strict=True) for t in tables)
        yield from (r for at, r in enumerate(chain.from_iterable(rows)) if at not in without)

    def notes(self, name: str) -> list[Any]:
        """Return what all the pieces noted: ``bad`` or ``encodings``."""
        return [note for said in self.said for note in said[name]]

    def text_of(self, identifier: str) -> str | None:
        """Return the text that an article has, or None where there is no such article."""
        for path in self.files(".arrow"):
            ids = read_arrow(path, ["article_id"])["article_id"].to_pylist()
            if identifier in ids:
                text: str = read_arrow(path, ["text"])["text"][ids.index(identifier)].as_py()
                return text
        return None

    def tables(
        self, groups: Mapping[int, tuple[str, str | None]], without: Set[int]
    ) -> Iterator[pa.Table]:
        """Yield the articles, but those ``without``, batch by batch, with ``group_id`` and ``copy_of`` filled in.

        ``groups`` tells both for the articles of which there are copies; any other is a group of its own.
        """
        at = 0
        for path in self.files(".arrow"):
            table = read_arrow(path)
            own = range(at, at + table.num_rows)
            ids = arrow.values(table["article_id"])
            told = [groups.get(index, (name, None)) for index, name in zip(own, ids, strict=True)]
            for column, values in zip(
                ("group_id", "copy_of"), zip(*told, strict=True), strict=False
            ):
                place = ARTICLES.get_field_index(column)
                table = table.set_column(place, column, arrow.array(values, pa.string()))
            kept = [index not in without for index in own]
            if not all(kept):  # what filters is slow to import
                table = table.filter(arrow.array(kept, pa.int8()).cast(pa.bool_()))
            yield table
            at = own.stop

    def prune(self) -> None:
        """Remove what earlier runs left that this one did not use."""
        used = {*self.names, *(name[:32] for said in self.said for name in said["batches"])}
        for path in self.folder.iterdir():
            if path.name[:32] not in used:
                path.unlink()


def regrouped(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """Yield the articles in tables of at most ``size``, cut where an article's id says.

    The cuts depend on what stands near them alone: an article more or less changes one table or two, and what
    later verbs made of the others still holds.
    """
    held: list[pa.Table] = []
    count = letters = 0
    for table in tables:
        begin = 0
        sizes = map(len, arrow.values(table["text"]))
        rows = zip(table["article_id"].to_pylist(), sizes, strict=True)
        for at, (identifier, size_of_text) in enumerate(rows, 1):
            count, letters = count + 1, letters + size_of_text
            if ends_piece(identifier.encode(), count, size) or letters >= LETTERS:
                yield pa.concat_tables([*held, table.slice(begin, at - begin)]).combine_chunks()
                held, begin, count, letters = [], at, 0, 0
        held.append(table.slice(begin))
    if count:
        yield pa.concat_tables(held).combine_chunks()
