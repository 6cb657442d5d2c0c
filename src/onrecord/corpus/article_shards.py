"""Runs of articles with their sentences: the shards of `segment` and `attribute`, and what each depends on."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from onrecord.core.errors import BadInput
from onrecord.core.records import SentenceSpan
from onrecord.core.tables import RowRange, read_values, row_ranges, shard_files

# Libraries that the bytes of the outputs depend on.
_LIBRARIES = ("charset-normalizer", "numpy", "pyarrow", "rensa", "trafilatura")


@cache
def rules_hash() -> str:
    """Return one hash of the code and the word lists of the corpus, and of the libraries' versions.

    Rows made by other rules are made again, whatever the version of On Record is.
    """
    digest = hashlib.sha256("".join(map(version, _LIBRARIES)).encode())
    for file in sorted(Path(__file__).parent.rglob("*")):
        if file.is_file() and file.suffix in {".py", ".yaml", ".skops"}:
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def repeated(values: Iterable[object]) -> set[int]:
    """Return the 64-bit hashes that more than one of the values has; 8 bytes a value are held.

    >>> hash("b") in repeated(["a", "b", "b"]), hash("a") in repeated(["a", "b", "b"])
    (True, False)
    """
    hashes = np.fromiter(map(hash, values), np.int64)
    hashes.sort()
    return {*hashes[1:][hashes[1:] == hashes[:-1]].tolist()}


def text_column(articles: Path) -> str:
    """Return the column that tells an article's text: its hash, or the text itself where a hash is null."""
    return "text" if any(sha is None for (sha,) in read_values(articles, ["sha256"])) else "sha256"


def range_hashes(ranges: Iterable[RowRange], columns: Sequence[str]) -> list[str]:
    """Return a hash of what each range has in some columns."""
    found = []
    for rows in ranges:
        digest = hashlib.sha256()
        for values in read_values(rows, columns):
            digest.update(repr(values).encode("utf-8", "surrogatepass"))
        found.append(digest.hexdigest())
    return found


def shortened(names: Sequence[str], most: int) -> str:
    """Return the first names, and how many more there are.

    >>> shortened(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if names[most:] else "")


def unless_all(made: int, shards: int) -> str:
    """Return how many of the shards were made again, in words, where not all were."""
    return f": {made} of {shards} shards made again" if made < shards else ""


class ArticleShard(NamedTuple):
    """A run of articles, their sentences, and the groups of copies among them.

    ``content`` hashes what the rows of ``speakers.parquet`` depend on: the articles, their sentences, and all
    articles of their groups.
    """

    articles: RowRange
    sentences: list[RowRange]
    groups: frozenset[str]
    content: str


def article_shards(articles: Path, sentences: Path, size: int) -> list[ArticleShard]:
    """Return shards of at most ``size`` articles each that cover both tables.

    `segment` writes the sentences in the order of the articles; raises BadInput where they are in another,
    or belong to other articles.
    """
    copied = repeated(group for (group,) in read_values(articles, ["group_id"]))
    group_digests: dict[str, Any] = defaultdict(hashlib.sha256)  # of each group's articles
    runs = _sentence_runs(sentences)
    run = next(runs, None)
    columns = ["article_id", "group_id", text_column(articles)]
    found = []
    for rows in row_ranges(articles, size):
        own, groups, ranges = hashlib.sha256(), set[str](), list[RowRange]()
        for identifier, group, content in read_values(rows, columns):
            digest = hashlib.sha256(f"{identifier} {content}".encode())
            if run is not None and run[0] == identifier:
                digest.update(run[1])
                if ranges and ranges[-1].path == run[2].path:
                    ranges[-1] = ranges[-1]._replace(last=run[2].last)
                else:
                    ranges.append(run[2])
                run = next(runs, None)
            own.update(digest.digest())
            if group and hash(group) in copied:
                groups.add(group)
                group_digests[group].update(digest.digest())
        found.append((rows, ranges, groups, own))
    if run is not None:
        raise BadInput(
            f"{sentences}: expected the sentences of {articles} in its order, found those of "
            f"{run[0]!r} out of it: run `onrecord segment` again"
        )
    for _, _, groups, own in found:
        for group in sorted(groups):
            own.update(group_digests[group].digest())
    return [ArticleShard(a, s, frozenset(g), own.hexdigest()) for a, s, g, own in found]


def _sentence_runs(sentences: Path) -> Iterator[tuple[str, bytes, RowRange]]:
    """Yield, article by article, its id, a hash of what its sentences are, and where they are."""
    columns = ["article_id", "sentence_id", "paragraph", "furniture"]
    for file in shard_files(sentences):
        begin = 0
        for owner, run in groupby(read_values(file, columns), key=itemgetter(0)):
            own = list(run)
            rows = RowRange(str(file.resolve()), begin, begin + len(own))
            yield owner, hashlib.sha256(repr(own).encode()).digest(), rows
            begin = rows.last


class Text(NamedTuple):
    """An article with its sentences: ids, texts and spans."""

    group: str
    text: str
    ids: list[str]
    texts: list[str]
    spans: list[SentenceSpan]


def texts(shard: ArticleShard) -> Iterator[Text]:
    """Yield the articles of a shard."""
    columns = ["article_id", "sentence_id", "start", "end", "paragraph", "furniture"]
    rows = (row for each in shard.sentences for row in read_values(each, columns))
    runs = groupby(rows, itemgetter(0))
    run = next(runs, None)
    for owner, group, text in read_values(shard.articles, ["article_id", "group_id", "text"]):
        own: list[tuple[Any, ...]] = []
        if run is not None and run[0] == owner:
            own, run = list(run[1]), next(runs, None)
        spans = [SentenceSpan(*row[2:]) for row in own]
        sentences = [text[span.start : span.end] for span in spans]
        yield Text(group, text, [row[1] for row in own], sentences, spans)
