"""Files between stages: text, JSON and JSON Lines, written whole or not at all, and checked when read."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, overload

import msgspec

from onrecord.core.errors import BadInput

Row = TypeVar("Row")


def require(path: str | Path, command: str) -> Path:
    """Return ``path`` if it exists; else raise BadInput naming the command that makes it."""
    if not Path(path).exists():
        raise BadInput(f"{path} is not there yet: run `onrecord {command}` first")
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


def read_json(path: str | Path) -> Any:
    """Return the JSON value in a file; raises BadInput where it is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: expected JSON, found {error}") from error


def read_object(path: str | Path, keys: Iterable[str], made_by: str) -> dict[str, Any]:
    """Return the JSON object in a file that the command ``made_by`` writes; raises BadInput where a key is missing."""
    found = read_json(path)
    missing = [key for key in keys if not isinstance(found, dict) or key not in found]
    if missing:
        raise BadInput(
            f"{path}: expected the key {missing[0]!r}, found none: run `onrecord {made_by}` again"
        )
    return dict(found)


@overload
def read_jsonl(path: str | Path) -> list[dict[str, Any]]: ...
@overload
def read_jsonl(path: str | Path, row_type: type[Row]) -> list[Row]: ...
def read_jsonl(path: str | Path, row_type: type[Any] | None = None) -> list[Any]:
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
        row = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise BadInput(f"{where}: expected a JSON object, found {error}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{where}: expected a JSON object, found {type(row).__name__}")
    if row_type is not None:
        check_row(row, row_type, where)
    return row


def check_row(row: Mapping[str, Any], row_type: type, where: str) -> None:
    """Raise BadInput unless ``row`` has every required key of the TypedDict, each of its type.

    The row itself stays as it was: a key that the type does not name is kept.
    """
    try:
        msgspec.convert(row, row_type)
    except msgspec.ValidationError as error:
        complaint = str(error)
        raise BadInput(f"{where}: {complaint[:1].lower()}{complaint[1:]}") from error


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256, in hex, of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
