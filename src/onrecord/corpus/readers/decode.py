"""Bytes to text: UTF-8 first; only where that fails is an encoding guessed, and then it is said.

Text is kept exactly as decoded: newlines, a byte order mark and all.
"""

import codecs
import re
from typing import IO

from charset_normalizer import from_bytes

from onrecord.core.errors import BadInput

SAMPLE = 65_536  # bytes that an encoding is guessed from: more take longer and are no better
WESTERN = 0.3  # share of bytes beyond ASCII up to which a text is taken for a western language's
MARKED = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Pages that declare these mean cp1252, as every browser reads them.
LATIN = frozenset({"ascii", "iso8859-1", "cp1252"})
# Encodings to Python, and of no page; some take the square of the time.
NO_CHARSETS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
)
DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w-]{2,20})""", re.I
)
MAGIC_BYTES = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzip data",
    b"%PDF": "a PDF",
    b"{\\rtf": "an RTF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"\x7fELF": "a program",
    b"PAR1": "a Parquet table",
    b"SQLite format 3": "a database",
}  # fmt: skip
CONTROLS = bytes([*range(9), *range(14, 28), 127])


def decode(data: bytes, where: str) -> tuple[str, str]:
    """Return ``(text, encoding)``; raises BadInput for an empty file and for bytes that are no text.

    >>> decode("caf\u00e9".encode(), "a.txt")
    ('caf\u00e9', 'utf-8')
    """
    if not data.strip():
        raise BadInput(f"{where}: expected text, found an empty file")
    refuse_binary(data, where)
    encoding = detect_utf16_32(data) or "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        text, encoding = guessed(data, error.start, where)
    read = data if encoding == "utf-8" else text.encode("utf-8", "replace")
    if len(read) - len(read.translate(None, CONTROLS)) > len(read) // 1000:
        raise BadInput(f"{where}: expected text, found control characters: a binary file?")
    return text, encoding


def refuse_binary(data: bytes, where: str) -> None:
    """Raise BadInput for what begins as a known kind of file does that is no text."""
    for sign, what in MAGIC_BYTES.items():
        if data.startswith(sign):
            raise BadInput(f"{where}: expected text, found {what}")


def detect_utf16_32(data: bytes) -> str | None:
    """Return which encoding of two or four bytes a character data has, by its mark or its zeros, if any.

    >>> detect_utf16_32("The council".encode("utf-16-be"))
    'utf-16-be'
    """
    for mark, encoding in MARKED.items():
        if data.startswith(mark):
            return encoding
    if b"\0" not in data[:SAMPLE]:
        return None
    even, odd = data[:SAMPLE:2].count(0), data[1:SAMPLE:2].count(0)
    most = len(data[:SAMPLE]) // 2
    if 2 * odd > most and 20 * even < most:
        return "utf-16-le"
    return "utf-16-be" if 2 * even > most and 20 * odd < most else None


def guessed(data: bytes, at: int, where: str) -> tuple[str, str]:
    """Return ``(text, encoding)`` of bytes whose byte ``at`` is not UTF-8, or raise BadInput.

    Text that is UTF-8 but for a few bytes is read as that, with U+FFFD in their place.
    """
    if data[at] == 0xED and is_text(data, "utf-8", "surrogatepass"):
        raise BadInput(f"{where}: expected text, found a lone surrogate at byte {at}")
    sample = data[max(0, at - SAMPLE // 2) :][:SAMPLE]
    loose = sample.decode("utf-8", "replace")
    broken = loose.count("\ufffd")
    if 3 * broken < sum(c > "\x7f" for c in loose) - broken:
        return data.decode("utf-8", "replace"), "utf-8 but for some bytes"
    foreign = sum(byte > 127 for byte in sample) / len(sample)
    candidates = declared(data) + (["cp1252"] if foreign <= WESTERN else [])
    best = None if sample.count(0) > len(sample) // 100 else from_bytes(sample).best()
    for encoding in candidates + ([best.encoding] if best else []):
        try:
            return data.decode(encoding), encoding.lower().replace("_", "-")
        except (UnicodeError, LookupError):
            continue
    raise BadInput(
        f"{where}: expected text, found bytes of no known encoding (byte {at} is 0x{data[at]:02x})"
    )


def is_text(data: bytes, encoding: str, errors: str) -> bool:
    """Return whether bytes can be decoded."""
    try:
        data.decode(encoding, errors)
    except UnicodeDecodeError:
        return False
    return True


def declared(data: bytes) -> list[str]:
    """Return the encodings that a page may mean by the one that it says it has.

    >>> declared(b'<meta charset="latin-1">')
    ['cp1252', 'iso8859-1']
    """
    found = DECLARED.search(data[:4096])
    try:
        name = codecs.lookup(found[1].decode("ascii")).name if found else "undefined"
    except LookupError:
        return []
    if name in NO_CHARSETS:
        return []
    return ["cp1252", name] if name in LATIN else [name]


def stream_encoding(file: IO[bytes], where: str) -> str:
    """Return the encoding of an open file, read through in pieces; the file is left at its start."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    head = file.read(SAMPLE)
    encoding = detect_utf16_32(head) or "utf-8"
    if encoding == "utf-8":
        decode(head[: head.rfind(b"\n") + 1] or head, where)
    file.seek(0)
    while encoding == "utf-8" and (data := file.read(1 << 20)):
        try:
            decoder.decode(data)
        except UnicodeDecodeError as error:
            encoding = guessed(error.object, error.start, where)[1]
    file.seek(0)
    return encoding
