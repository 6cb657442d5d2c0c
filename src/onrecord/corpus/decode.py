"""Bytes to text: UTF-8 first; only where that fails is an encoding guessed, and then it is said.

Text is kept exactly as decoded: newlines, a byte order mark and all.
"""

import codecs
import re
from typing import IO

from charset_normalizer import from_bytes

from onrecord.records import BadInput

SAMPLE = (
    65_536  # bytes that an encoding is guessed from: a guess on more takes longer and is no better
)
WESTERN = 0.3  # share of bytes beyond ASCII up to which a text is taken for a western language's
WIDE = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w-]{2,20})""", re.I
)
SIGNS = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzip data",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"\x7fELF": "a program",
    b"PAR1": "a Parquet table",
    b"SQLite format 3": "a database",
}  # fmt: skip
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")


def decode(data: bytes, where: str) -> tuple[str, str]:
    """Return ``(text, encoding)``; raises BadInput for an empty file and for bytes that are no text.

    >>> decode("caf\u00e9".encode(), "a.txt")
    ('caf\u00e9', 'utf-8')
    """
    if not data.strip():
        raise BadInput(f"{where}: expected text, found an empty file")
    for sign, what in SIGNS.items():
        if data.startswith(sign):
            raise BadInput(f"{where}: expected text, found {what}")
    try:
        text, encoding = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        text, encoding = guessed(data, error.start, where)
    if len(CONTROL.findall(text[:SAMPLE])) > len(text[:SAMPLE]) // 1000:
        raise BadInput(f"{where}: expected text, found control characters: a binary file?")
    return text, encoding


def guessed(data: bytes, at: int, where: str) -> tuple[str, str]:
    """Return ``(text, encoding)`` of bytes whose byte ``at`` is not UTF-8, or raise BadInput."""
    candidates = [WIDE[data[:2]]] if data[:2] in WIDE else []
    if declared := DECLARED.search(data[:4096]):
        candidates.append(declared[1].decode("ascii"))
    if not candidates:
        sample = data[max(0, at - SAMPLE // 2) :][:SAMPLE]
        foreign = sum(byte > 127 for byte in sample) / len(sample)
        candidates += ["cp1252"] if foreign <= WESTERN else []
        best = None if sample.count(0) > len(sample) // 100 else from_bytes(sample).best()
        candidates += [best.encoding] if best else []
    for encoding in candidates:
        try:
            return data.decode(encoding), encoding.lower().replace("_", "-")
        except (UnicodeDecodeError, LookupError):
            continue
    raise BadInput(
        f"{where}: expected text, found bytes of no known encoding (byte {at} is 0x{data[at]:02x})"
    )


def stream_encoding(file: IO[bytes], where: str) -> str:
    """Return the encoding of an open file, read through in pieces; the file is left at its start."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    head = file.read(SAMPLE)
    decode(head[: head.rfind(b"\n") + 1] or head, where)
    file.seek(0)
    encoding = "utf-8"
    while data := file.read(1 << 20):
        try:
            decoder.decode(data)
        except UnicodeDecodeError as error:
            encoding = guessed(data, error.start, where)[1]
            break
    file.seek(0)
    return encoding
