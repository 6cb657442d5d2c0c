"""``onrecord rehydrate``: a stand-off release and the user's own copies, to a dataset with its text."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import DictConfig

from onrecord.core.errors import BadInput, CheckFailed  # fmt: skip
from onrecord.core.files import read_jsonl, read_object, write_json  # fmt: skip
from onrecord.core.records import text_sha256  # fmt: skip
from onrecord.core.table_reader import read_table
from onrecord.core.tables import read_parquet  # fmt: skip
from onrecord.core.text_normalization import folded
from onrecord.dataset.features import Spec, gold_columns, table, value
from onrecord.dataset.folder import replaced, write_configs, write_minimal_card
from onrecord.dataset.gold_rows import contexts
from onrecord.dataset.recovery import rehydration, summary
from onrecord.dataset.release.checks import check_checksums
from onrecord.dataset.release.release_tables import read_dataset
from onrecord.dataset.standoff.alignment import Place, Recovered, recover
from onrecord.dataset.standoff.standoff import SENTENCE_HASHES
from onrecord.scheme.scheme import Scheme, load_scheme


def main(cfg: DictConfig) -> None:
    """Find every sentence again, write ``dataset/`` and ``rehydration.json``, print what came back."""
    release, workspace = Path(cfg.release), Path(cfg.workspace)
    if not (release / "sentences.parquet").is_file():
        raise BadInput(f"release={release}: expected a stand-off release (with sentences.parquet), found none")  # fmt: skip
    check_checksums(release)
    if not 0 <= cfg.min_recovery <= 1:
        raise BadInput(f"min_recovery={cfg.min_recovery}: expected a share from 0 to 1")
    sentences = read_parquet(release / "sentences.parquet", SENTENCE_HASHES).to_pylist()
    articles = read_jsonl(release / "articles.jsonl")
    copies = read_copies(Path(cfg.articles))
    found = rehydrate(articles, sentences, copies, fuzzy=cfg.fuzzy)
    tables, features = read_dataset(release)
    about = read_object(release / "dataset.json", ["question"], "publish")
    scheme = load_scheme(release)
    gold = with_text(tables["gold"], features["gold"], sentences, found, scheme)
    report = rehydration(
        tables, features, question=about["question"], sentences=sentences, found=found,
        release=str(release),
    )  # fmt: skip
    restored = {"gold": gold} | (
        {"annotations": with_names(tables["annotations"], found)} if "annotations" in tables else {}
    )
    with replaced(workspace / "dataset") as folder:
        write_configs(folder, restored)
        write_minimal_card(folder, restored, f"Re-hydrated from {release.name}")
        write_json(folder / "dataset.json", {**about, "recovery": report["recovery"]})
    write_json(workspace / "rehydration.json", report)
    print(summary(report, workspace))
    if report["recovery"] < cfg.min_recovery:
        raise CheckFailed(f"{report['recovery']:.1%} of the labelled sentences came back, {cfg.min_recovery:.1%} were wanted: {workspace / 'rehydration.json'} lists the lost")  # fmt: skip


def read_copies(path: Path) -> dict[str, str]:
    """Return the user's articles, id → text: a folder of .txt files (the stem is the id), or a table.

    Raises BadInput where there is none, a file is not UTF-8, or two have one id.
    """
    if path.is_dir():
        files = sorted(path.rglob("*.txt"))
        pairs = [(file.stem, _decoded(file)) for file in files]
        pairs = [(stem, text) for stem, text in pairs if stem.lower() != "readme"]
    elif path.is_file() and path.suffix == ".txt":
        pairs = [(path.stem, _decoded(path))]
    elif path.is_file():
        columns = read_table(path).to_pydict()
        ids = columns.get("article_id", columns.get("id"))
        if ids is None or "text" not in columns:
            raise BadInput(f"{path}: expected the columns article_id (or id) and text, found {', '.join(columns)}")  # fmt: skip
        pairs = [(str(i), t or "") for i, t in zip(ids, columns["text"], strict=True)]
    else:
        raise BadInput(f"articles={path}: there is no such file or folder")
    twice = [name for name, n in Counter(name for name, _ in pairs).items() if n > 1]
    if twice:
        raise BadInput(f"articles={path}: two articles have the id {twice[0]!r}")
    if not pairs:
        raise BadInput(f"articles={path}: expected .txt files or a table, found none")
    return dict(pairs)


def _decoded(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: expected UTF-8, found {error}") from error


def rehydrate(
    articles: Sequence[Mapping[str, Any]],
    sentences: Iterable[Mapping[str, Any]],
    copies: Mapping[str, str],
    *,
    fuzzy: bool = False,
) -> dict[str, Recovered]:
    """Return each article as it came back from the copies; one that none is a copy of has no place.

    A text whose hash is the article's is taken whatever its name; else the text under the article's id;
    else, of the texts under the ids of its group, the one that gives most back.
    """
    by_hash = {text_sha256(text): text for text in copies.values()}
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in sentences:
        rows[row["article_id"]].append(row)
    members: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        members[article["group_id"]].append(article["article_id"])
    found = {}
    for article in articles:
        name, wanted = article["article_id"], rows[article["article_id"]]
        if article["sha256"] in by_hash:
            places = {r["sentence_id"]: Place(r["start"], r["end"], "text") for r in wanted}
            found[name] = Recovered(by_hash[article["sha256"]], places, {})
            continue
        near = (
            [name] if name in copies else [m for m in members[article["group_id"]] if m in copies]
        )
        tried = [_from_copy(wanted, copies[member], fuzzy) for member in near]
        found[name] = max(tried, key=lambda r: len(r.places), default=Recovered(
            "", {}, {r["sentence_id"]: "no copy of the article was given" for r in wanted}))  # fmt: skip
    return found


def _from_copy(wanted: Sequence[Mapping[str, Any]], text: str, fuzzy: bool) -> Recovered:
    placed = recover(wanted, text, fuzzy=fuzzy)
    ids = [row["sentence_id"] for row in wanted]
    alone = {
        i
        for i, row, place in zip(ids, wanted, placed, strict=True)
        if place is None and recover([row], text)[0]
    }
    why = {
        i: "in the copy, but out of order or at another sentence's place" if i in alone else "not in the copy"
        for i, place in zip(ids, placed, strict=True)
        if place is None
    }  # fmt: skip
    return Recovered(text, {i: p for i, p in zip(ids, placed, strict=True) if p is not None}, why)


def with_text(
    gold: Mapping[str, pa.Table],
    features: Mapping[str, Spec],
    sentences: Sequence[Mapping[str, Any]],
    found: Mapping[str, Recovered],
    scheme: Scheme,
) -> dict[str, pa.Table]:
    """Return the gold tables with text, context and long names put back; rows whose text is lost are left out.

    ``recovered_by`` says by which tier. A row that repeats a sentence which is now lost is counted in
    its place (``is_copy``).
    """
    back = [row for row in sentences if row["sentence_id"] in found[row["article_id"]].places]
    texts = [_text(found, row["article_id"], row["sentence_id"]) for row in back]
    before, after = contexts(
        [r["article_id"] for r in back], texts, [r["furniture"] for r in back], 2
    )
    text_of = {
        row["sentence_id"]: (text, b, a)
        for row, text, b, a in zip(back, texts, before, after, strict=True)
    }
    columns = {
        name: feature
        for name, feature in (gold_columns(scheme, folds="fold" in features) | dict(features)).items()
        if name in features or name in ("text", "context_before", "context_after")
    } | {"recovered_by": value("string")}  # fmt: skip
    counted = {
        key
        for rows in gold.values()
        for row in rows.to_pylist()
        if not row["is_copy"] and (key := _key(row, text_of)) is not None
    }
    tables = {}
    for split, rows in gold.items():
        kept = [row for row in rows.to_pylist() if row["sentence_id"] in text_of]
        for row in kept:
            row["text"], row["context_before"], row["context_after"] = text_of[row["sentence_id"]]
            row["recovered_by"] = found[row["article_id"]].places[row["sentence_id"]].tier
            if "speaker_name" in row:  # a scheme need not ask for it
                row["speaker_name"] = _name(row, found[row["article_id"]])
            key = _key(row, text_of)
            if row["is_copy"] and key is not None and key not in counted:
                row["is_copy"] = False
                counted.add(key)
            for name, feature in columns.items():
                if feature.get("_type") == "ClassLabel" and row[name] is not None:
                    row[name] = feature["names"][row[name]]
        tables[split] = table(columns, {name: [row[name] for row in kept] for name in columns}, "gold")  # fmt: skip
    return tables


def _text(found: Mapping[str, Recovered], article: str, sentence: str) -> str:
    place = found[article].places[sentence]
    return found[article].text[place.start : place.end]


def _key(
    row: Mapping[str, Any], text_of: Mapping[str, tuple[str, str, str]]
) -> tuple[str, str, str] | None:
    text = text_of.get(row["sentence_id"])
    return None if text is None else (row["group_id"], row["target"], folded(text[0]))


def _name(row: Mapping[str, Any], article: Recovered) -> str | None:
    """Return a name that was left out for its length, from its span; only the same text has the span."""
    if row["speaker_name"] is not None or row["speaker_start"] is None:
        name: str | None = row["speaker_name"]
        return name
    same = any(place.tier == "text" for place in article.places.values())
    return article.text[row["speaker_start"] : row["speaker_end"]] if same else None


def with_names(
    annotations: Mapping[str, pa.Table], found: Mapping[str, Recovered]
) -> dict[str, pa.Table]:
    """Return the annotations with the names that were left out for their length put back."""
    tables = {}
    for split, rows in annotations.items():
        if "speaker_name" not in rows.column_names:
            tables[split] = rows
            continue
        names = [_name(row, found[row["article_id"]]) for row in rows.to_pylist()]
        place = rows.schema.get_field_index("speaker_name")
        tables[split] = rows.set_column(
            place, rows.schema.field(place), pa.array(names, pa.string())
        )
    return tables
