"""The work of `attribute` in pieces: runs of articles with their sentences, and what each piece depends on."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from onrecord.core.errors import BadInput
from onrecord.core.tables import opened, row_shards
from onrecord.corpus import columns
from onrecord.corpus.attribution.sentence_state import Sentence
from onrecord.corpus.unchanged import repeated

Row = dict[str, Any]
Known = dict[str, Row]  # letters of a sentence → the row that credits it

SPAN_COLUMNS = ["article_id", "sentence_id", "start", "end", "paragraph", "furniture"]
ARTICLE_COLUMNS = ["article_id", "group_id", "text"]


class Shard(NamedTuple):
    """A run of articles and of their sentences: row ranges, half-open; the groups with copies among them.

    ``key`` tells by content what the run's rows depend on: its articles, their sentences, and all copies.
    """

    articles: Path
    article_rows: tuple[int, int]
    sentences: Path
    sentence_rows: tuple[int, int]
    groups: frozenset[str]
    key: str


def shards_of(articles: Path, sentences: Path, size: int) -> list[Shard]:
    """Return the work of at most ``size`` articles each that covers both tables.

    ``segment`` writes the sentences in the order of the articles; raises BadInput where they are not in it,
    or belong to other articles.
    """
    copied = repeated(chain.from_iterable(_columns(articles, ["group_id"])))
    digests: dict[str, Any] = defaultdict(
        hashlib.sha256
    )  # of each group's articles, in their order
    runs = _runs(sentences)
    run = next(runs, None)
    rows = _columns(articles, ["article_id", "group_id", _telling(articles)])
    row, found = 0, []
    for _, first, last in row_shards(articles, size):
        begin, own, groups = row, hashlib.sha256(), set[str]()
        for _ in range(last - first):
            identifier, group, content = next(rows)
            said = hashlib.sha256(f"{identifier} {content}".encode())
            if run is not None and run[0] == identifier:
                said.update(run[1])
                row += run[2]
                run = next(runs, None)
            own.update(said.digest())
            if group and hash(group) in copied:
                groups.add(group)
                digests[group].update(said.digest())
        found.append((first, last, begin, row, own, frozenset(groups)))
    if run is not None:
        raise BadInput(
            f"{sentences}: expected the sentences of {articles} in its order, found those of "
            f"{run[0]!r} out of it: run `onrecord segment` again"
        )
    return [
        Shard(articles, (first, last), sentences, (begin, end), groups, _key(own, groups, digests))
        for first, last, begin, end, own, groups in found
    ]


def _telling(articles: Path) -> str:
    """Return the column that tells an article's text: its hash, or the text itself where a hash is null."""
    return "text" if any(sha is None for (sha,) in _columns(articles, ["sha256"])) else "sha256"


def _key(own: Any, groups: frozenset[str], digests: Mapping[str, Any]) -> str:
    for group in sorted(groups):
        own.update(digests[group].digest())
    return str(own.hexdigest())


def _runs(sentences: Path) -> Iterator[tuple[str, bytes, int]]:
    """Yield, article by article, its id, a hash of what its sentences are, and how many."""
    rows = _columns(sentences, ["article_id", "sentence_id", "paragraph", "furniture"])
    for owner, run in groupby(rows, key=itemgetter(0)):
        own = list(run)
        yield owner, hashlib.sha256(repr(own).encode()).digest(), len(own)


def _columns(path: Path, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield some columns' values, row by row, one row group being held at a time."""
    with opened(path) as file:
        for name in names:
            if name not in file.schema_arrow.names:
                found = ", ".join(file.schema_arrow.names)
                raise BadInput(f"{path}: expected the column {name!r}, found {found}")
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=list(names), use_threads=False)
            yield from zip(*(columns.values(table[name]) for name in names), strict=True)


def _rows(path: Path, rows: tuple[int, int], names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a half-open range, decoding only the row groups that it meets."""
    begin = 0
    with opened(path) as file:
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            low, high = max(begin, rows[0]), min(end, rows[1])
            if low < high:
                table = file.read_row_group(group, columns=list(names), use_threads=False)
                table = table.slice(low - begin, high - low)
                yield from zip(*(columns.values(table[name]) for name in names), strict=True)
            begin = end


class Text(NamedTuple):
    """An article with its sentences: ids, texts and spans."""

    group: str
    text: str
    ids: list[str]
    texts: list[str]
    spans: list[Sentence]


def texts(shard: Shard) -> Iterator[Text]:
    """Yield the articles of a shard."""
    runs = groupby(_rows(shard.sentences, shard.sentence_rows, SPAN_COLUMNS), itemgetter(0))
    run = next(runs, None)
    for owner, group, text in _rows(shard.articles, shard.article_rows, ARTICLE_COLUMNS):
        own: list[tuple[Any, ...]] = []
        if run is not None and run[0] == owner:
            own, run = list(run[1]), next(runs, None)
        spans = [Sentence(*row[2:]) for row in own]
        said = [text[span.start : span.end] for span in spans]
        yield Text(group, text, [row[1] for row in own], said, spans)


# What goes to another process or machine is JSON, so that every engine hands over the same.


class Copies:
    """What the copies of each group credit, in a file: what is held of them is where it stands there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def fill(self, told: Iterable[Mapping[str, Known]]) -> None:
        """Write what is told of groups, part by part."""
        with self.path.open("wb") as file:
            for part in told:
                for group, known in part.items():
                    data = json.dumps(known).encode()
                    self.places[group].append((file.tell(), len(data)))
                    file.write(data)


def _read(path: Path, places: Iterable[tuple[int, int]]) -> Known:
    """Return what the parts at some places tell; the first copy's word stands."""
    known: Known = {}
    with path.open("rb") as file:
        for begin, size in places:
            file.seek(begin)
            known = json.loads(file.read(size)) | known
    return known


def packed(shard: Shard, copies: Copies | None = None) -> str:
    """Return a shard as JSON, with where it stands what the copies of its groups credit."""
    paths = str(shard.articles.resolve()), str(shard.sentences.resolve())
    groups = sorted(shard.groups)
    ranges = shard.article_rows, shard.sentence_rows
    path = str(copies.path.resolve()) if copies else None
    places = {g: copies.places[g] for g in groups if g in copies.places} if copies else {}
    return json.dumps([paths, ranges, groups, shard.key, path, places])


def unpacked(work: str) -> tuple[Shard, dict[str, Known]]:
    """Return the shard that :func:`packed` packed, and what the copies of its groups credit."""
    (articles, sentences), (article_rows, sentence_rows), groups, key, path, places = json.loads(
        work
    )
    shard = Shard(
        Path(articles),
        tuple(article_rows),
        Path(sentences),
        tuple(sentence_rows),
        frozenset(groups),
        key,
    )
    return shard, {group: _read(Path(path), where) for group, where in places.items()}
