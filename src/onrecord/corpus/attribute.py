"""Who speaks in each sentence: candidates, a suggestion with its kind, the cue, and how sure it is.

Reads ``articles.parquet`` and ``sentences.parquet``, writes ``speakers.parquet``. Rules only, no model. A
sentence's speaker is the subject of its reporting cue; a quotation without a cue takes the speaker of the
quotation that it belongs to or that led into it; a block quotation without a lead-in takes the speaker
that the copy of the article in the same group gives it; all else is the author's.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
from omegaconf import DictConfig

from onrecord.core.parallel import map_shards, shard_keys, shards_to_make, write_shards
from onrecord.core.records import MAX_CANDIDATES, SPEAKERS, SpeakerRow, Suggestion
from onrecord.core.tables import read_values, table_from_rows
from onrecord.core.text_normalization import letters_and_digits
from onrecord.core.workspace import Workspace
from onrecord.corpus.article_shards import (
    ArticleShard,
    article_shards,
    rules_hash,
    texts,
    unless_all,
)
from onrecord.corpus.languages import attributor, attributor_of, attributor_version

MIN_CONFIDENCE = 0.5  # a copy may correct what is less sure
MIN_LETTERS = 20  # shorter sentences repeat by chance
ROWS_AT_ONCE = 4000  # sentences in one row group, about

QuotedSpeakers = dict[str, Suggestion]  # letters of a sentence → the speaker an article gives it
Place = tuple[int, int]  # in a file: where it begins, and its size


def quoted_speakers(texts: Sequence[str], rows: Sequence[Suggestion]) -> QuotedSpeakers:
    """Return the speakers of the directly quoted sentences of one article, by the sentences' letters."""
    return {
        key: row
        for text, row in zip(texts, rows, strict=True)
        if row["attribution"] == "direct"
        and row["speaker_name"] is not None
        and len(key := letters_and_digits(text)) >= MIN_LETTERS
    }


def correct_by_copies(
    texts: Sequence[str], rows: Sequence[Suggestion], known: Mapping[str, Suggestion]
) -> None:
    """Give what an article credits to nobody the speaker that a copy of it gives the same words, in place.

    Only quoted words travel: a sentence that is the author's here, or credited with little confidence, and
    directly quoted in a copy is that speaker's.
    """
    for text, row in zip(texts, rows, strict=True):
        if row["speaker"] == "author" or row["confidence"] < MIN_CONFIDENCE:
            given = known.get(letters_and_digits(text))
            if given is not None and given is not row:
                names = dict.fromkeys([*given["candidates"], *row["candidates"]])
                row.update(
                    {
                        "speaker": given["speaker"],
                        "speaker_name": given["speaker_name"],
                        "attribution": "direct",
                        "cue": None,
                        "candidates": list(names)[:MAX_CANDIDATES],
                        "confidence": round(0.9 * given["confidence"], 3),
                    }
                )


def group_speakers(shard: ArticleShard, *, rules: str) -> dict[str, QuotedSpeakers]:
    """Return, for each of a shard's groups, the speakers of its articles' quoted sentences.

    ``rules`` is the name of an attributor.
    """
    attribute = attributor(rules)
    found: dict[str, QuotedSpeakers] = defaultdict(dict)
    for text in texts(shard):
        if text.group in shard.groups:
            rows = attribute(text.text, text.spans)
            found[text.group] = quoted_speakers(text.texts, rows) | found[text.group]
    return found


def write_group_speakers(
    path: Path, parts: Iterator[Mapping[str, QuotedSpeakers]]
) -> dict[str, list[Place]]:
    """Write what :func:`group_speakers` found, as JSON; return where each group's parts are in the file."""
    places: dict[str, list[Place]] = defaultdict(list)
    with path.open("wb") as file:
        for part in parts:
            for group, known in part.items():
                data = json.dumps(known).encode()
                places[group].append((file.tell(), len(data)))
                file.write(data)
    return places


def read_group_speakers(path: Path, places: Sequence[Place]) -> QuotedSpeakers:
    """Return what a group's articles attribute; where they differ, the first one counts."""
    known: QuotedSpeakers = {}
    with path.open("rb") as file:
        for begin, size in places:
            file.seek(begin)
            known = json.loads(file.read(size)) | known
    return known


def speaker_tables(
    work: tuple[ArticleShard, Mapping[str, Sequence[Place]]], *, copies: Path, rules: str
) -> Iterator[pa.Table]:
    """Yield the rows of ``speakers.parquet`` for a shard.

    ``work`` has, beside the shard, where ``copies`` has what the copies of its articles attribute.
    """
    attribute = attributor(rules)
    shard, places = work
    known = {group: read_group_speakers(copies, at) for group, at in places.items()}
    found: list[SpeakerRow] = []
    for text in texts(shard):
        rows = attribute(text.text, text.spans)
        if text.group in known:
            correct_by_copies(text.texts, rows, known[text.group])
        found += [{"sentence_id": i, **row} for i, row in zip(text.ids, rows, strict=True)]
        if len(found) >= ROWS_AT_ONCE:
            yield table_from_rows(found, SPEAKERS)
            found = []
    yield table_from_rows(found, SPEAKERS)


def main(cfg: DictConfig) -> None:
    """Read the articles and their sentences, write ``speakers.parquet``."""
    workspace = Workspace(Path(cfg.workspace))
    articles = workspace.require(Workspace.articles)
    sentences = workspace.require(Workspace.sentences)
    path, copies = workspace.speakers, workspace.folder.resolve() / ".group_speakers.json"
    how = {"engine": cfg.engine.name, "workers": cfg.workers}
    rules = attributor_of(sentences) if cfg.attributor is None else str(cfg.attributor)
    about = [rules_hash(), rules, attributor_version(rules)]
    shards = article_shards(articles, sentences, cfg.shard_size)
    keys = shard_keys([shard.content for shard in shards], about, SPEAKERS)
    to_make = shards_to_make(path, keys)
    wanted = {g for key, s in zip(keys, shards, strict=True) if key in to_make for g in s.groups}
    asked = [s._replace(groups=s.groups & wanted) for s in shards if s.groups & wanted]
    parts = map_shards(partial(group_speakers, rules=rules), asked, what="reading copies", **how)
    places = write_group_speakers(copies, parts)
    work = [(s, {g: places[g] for g in sorted(s.groups & wanted)}) for s in shards]
    write = partial(speaker_tables, copies=copies, rules=rules)
    n, made = write_shards(path, write, work, SPEAKERS, keys=keys, what="attributing", **how)
    copies.unlink()
    if not rules:
        print(
            "no speakers are suggested: the language's file in conf/splitter/ names no attributor"
        )
    print(f"{n} sentences: {summary(path)} → {path}{unless_all(made, len(shards))}")


def summary(speakers: Path) -> str:
    """Return how many sentences are attributed to a speaker, and to which types, in words."""
    types = Counter[str]()
    named = 0
    for speaker, name in read_values(speakers, ["speaker", "speaker_name"]):
        types[speaker or "unknown"] += 1
        named += name is not None
    counts = ", ".join(f"{kind} {n}" for kind, n in types.most_common())
    return f"{named} credited to a speaker ({counts})"
