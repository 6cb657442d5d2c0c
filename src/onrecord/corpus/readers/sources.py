"""Article files: which a source has, and the pieces of work that they are read in."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput

SINGLE = (".txt", ".html", ".htm")  # one article a file
SUFFIXES = (*SINGLE, ".jsonl", ".jsonl.gz", ".csv", ".parquet")
RANGE = 1 << 22  # bytes of a .jsonl file in one part
MB = 1 << 20


@dataclass(frozen=True)
class Part:
    """A file, or a range of one: bytes of a .jsonl file, rows of a .parquet one. ``name`` is within the source."""

    path: str
    name: str
    first: int = 0
    last: int | None = None


def suffix(path: str | Path) -> str:
    """Return a file's format by its name, or "" where it is none that is read.

    >>> suffix("a/b.JSONL.gz")
    '.jsonl.gz'
    """
    name = str(path).lower()
    return next((s for s in SUFFIXES if name.endswith(s)), "")


def base_of(source: str) -> Path:
    """Return the folder that the names of a source's files are within.

    >>> base_of("news/2025/*/a?.txt").as_posix()
    'news/2025'
    """
    path = Path(source)
    if path.is_dir() or path.is_file():
        return path if path.is_dir() else path.parent
    return Path(*takewhile(lambda part: not set(part) & set("*?["), path.parts[:-1]))


def article_files(source: str) -> list[tuple[Path, str]]:
    """Return the article files of a folder (and the folders in it), a file or a glob: ``(path, name)``, sorted.

    Raises BadInput where there is none. Hidden files and a sidecar ``articles.csv`` are no articles; a link
    to nothing and a pipe that have an article's name are among them, and are refused when they are read.
    """
    if not source:
        raise BadInput("articles: expected a folder, a file or a glob, found nothing")
    path, base = Path(source), base_of(source)
    if path.is_dir():
        found = sorted(path.rglob("*"))
    else:
        found = [path] if path.is_file() else globbed(path)
    files = [p for p in found if not p.is_dir()]
    kept = [
        (p, shown(p.relative_to(base).as_posix()))
        for p in files
        if suffix(p) and (p == path or (p.name != "articles.csv" and not p.name.startswith(".")))
    ]
    if not kept:
        there = f"{len(files)} files of other kinds" if files else "nothing"
        raise BadInput(f"{source}: expected articles ({', '.join(SUFFIXES)}), found {there} there")
    return kept


def globbed(pattern: Path) -> list[Path]:
    """Return the paths that a glob finds, sorted."""
    try:
        return sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    except ValueError as error:
        raise BadInput(f"{pattern}: expected a folder, a file or a glob, found {error}") from error


def shown(name: str) -> str:
    r"""Return a name or a complaint as it is told of, in one line: what cannot be printed is escaped.

    >>> shown("a\n\udcff.csv")
    'a\\n\\udcff.csv'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def others(source: str) -> list[str]:
    """Return the names of a folder's files that are no articles of a kind that is read, such as ``x.pdf``."""
    folder = Path(source)
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    kept = (p for p in found if not suffix(p) and not p.name.startswith(".") and p.is_file())
    return [shown(p.name) for p in kept]


def shards(files: Sequence[tuple[Path, str]], size: int) -> list[tuple[Part, ...]]:
    """Return the files as pieces of work: up to ``size`` articles, or one table, or a range of a large one.

    Where a piece ends is told by what stands there, so that a file or a line more leaves the others as they are.
    """
    found: list[tuple[Part, ...]] = []
    single: list[tuple[Part, ...]] = []
    held: list[Part] = []
    for path, name in files:
        if suffix(path) in SINGLE:
            held.append(Part(str(path), name))
            if ends_piece(name.encode(), len(held), size):
                single.append(tuple(held))
                held = []
        elif not path.is_file():  # opening a pipe would wait for ever
            found.append((Part(str(path), name),))
        elif suffix(path) == ".jsonl":
            found += [(Part(str(path), name, a, b),) for a, b in line_ranges(path)]
        elif suffix(path) == ".parquet":
            found += [(Part(str(path), name, a, b),) for a, b in row_ranges(path, size)]
        else:
            found.append((Part(str(path), name),))
    return [*single, tuple(held), *found] if held else [*single, *found]


def ends_piece(name: bytes, count: int, most: int) -> bool:
    """Return whether a piece of ``count`` things, ``most`` at most, ends with the one of this name."""
    return count >= most or drawn(name) * most < cuts_within(count / most)


def drawn(name: bytes) -> float:
    """Return a number from 0 to 1 that the name alone tells; alike names have numbers far apart."""
    return (zlib.crc32(name) * 0x9E3779B1 & 0xFFFFFFFF) / (1 << 32)


def cuts_within(share: float) -> int:
    """Return how many of the things of a full piece end it, where it holds this share of what it may hold.

    A piece holds some sixth of that, never less than a sixteenth and hardly ever more than a half: what is held
    at a time is much the same for a small corpus and a large one.
    """
    return 0 if share < 1 / 16 else 8 if share < 1 / 4 else 24


def line_ranges(path: Path) -> list[tuple[int, int]]:
    """Return the ranges of bytes of a .jsonl file, cut where a line begins, of RANGE bytes or a line more.

    A file that cannot be read is one range, refused when it is read.
    """
    cuts, at, begins = [0], 0, True
    try:
        with path.open("rb") as file:
            while line := file.readline(MB):
                size = at - cuts[-1]
                told = drawn(line[:64]) * RANGE < cuts_within(size / RANGE) * len(line)
                if begins and size and (size >= RANGE or told):
                    cuts.append(at)
                begins = line.endswith(b"\n")
                at += len(line)
    except OSError:
        return [(0, path.stat().st_size)]
    return list(pairwise([*cuts, at]))


def row_ranges(path: Path, size: int) -> list[tuple[int, int]]:
    """Return row ranges of a Parquet file, whole row groups of ``size`` rows together or more.

    A file that is none is one range, refused when it is read.
    """
    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowException, UnicodeError):
        return [(0, 0)]
    cuts, at = [0], 0
    for group in range(metadata.num_row_groups):
        at += metadata.row_group(group).num_rows
        if at - cuts[-1] >= size:
            cuts.append(at)
    return list(pairwise(cuts if cuts[-1] == at and at else [*cuts, at]))
