"""``onrecord rehydrate``: a stand-off release and the user's own copies, to a dataset with its text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, get_args

import pyarrow as pa
from omegaconf import DictConfig

from onrecord.core.errors import BadInput, CheckFailed
from onrecord.core.files import read_jsonl, read_object, write_json
from onrecord.core.table_reader import read_table
from onrecord.core.tables import read_parquet
from onrecord.core.text_normalization import normalized
from onrecord.core.workspace import Workspace
from onrecord.dataset.features import (
    Feature,
    Features,
    Tables,
    gold_features,
    make_table,
    read_dataset,
    replaced_folder,
    value_feature,
    write_configs,
    write_minimal_card,
)
from onrecord.dataset.gold_rows import contexts
from onrecord.dataset.release.checks import check_checksums
from onrecord.dataset.standoff.alignment import RecoveredArticle, Tier, recover_articles
from onrecord.dataset.standoff.standoff import SENTENCE_HASHES, ReleasedArticle, SentenceHash
from onrecord.scheme.scheme import Scheme, load_scheme

TIERS: tuple[Tier, ...] = get_args(Tier)
CONTEXT = 2  # sentences before and after


class ArticleRecovery(TypedDict):
    """Of one article's labelled sentences: how many were recovered, by which tier, which not and why."""

    recovered: int
    total: int
    tiers: dict[Tier, int]
    lost: list[str]
    why: dict[str, str]


class LabelRecovery(TypedDict):
    """How many of a label's rows have their text again."""

    recovered: int
    total: int


class Rehydration(TypedDict):
    """``rehydration.json``: counts of the sentences that have a label, in gold or by an annotator."""

    release: str
    question: str
    recovery: float
    recovered: int
    total: int
    labels: dict[str, LabelRecovery]
    articles: dict[str, ArticleRecovery]


def main(cfg: DictConfig) -> None:
    """Find every sentence again, write ``dataset/`` and ``rehydration.json``, print what was recovered."""
    release, workspace = Path(cfg.release), Workspace(Path(cfg.workspace))
    if not (release / "sentences.parquet").is_file():
        raise BadInput(f"release={release}: expected a stand-off release (with sentences.parquet), found none")  # fmt: skip
    check_checksums(release)
    if not 0 <= cfg.min_recovery <= 1:
        raise BadInput(f"min_recovery={cfg.min_recovery}: expected a share from 0 to 1")
    sentences: list[SentenceHash] = read_parquet(
        release / "sentences.parquet", SENTENCE_HASHES
    ).to_pylist()
    articles = read_jsonl(release / "articles.jsonl", ReleasedArticle)
    copies = read_copies(Path(cfg.articles))
    found = recover_articles(articles, sentences, copies, fuzzy=cfg.fuzzy)
    tables, features = read_dataset(release)
    info = read_object(release / "dataset.json", ["question"], "publish")
    report = recovery_report(
        tables, features, sentences, found, question=info["question"], release=str(release)
    )
    restored = with_text(tables, features["gold"], sentences, found, load_scheme(release))
    with replaced_folder(workspace.dataset) as folder:
        write_configs(folder, restored)
        write_minimal_card(folder, restored, f"Re-hydrated from {release.name}")
        write_json(folder / "dataset.json", {**info, "recovery": report["recovery"]})
    write_json(workspace.rehydration, report)
    print(summary(report, workspace.dataset))
    if report["recovery"] < cfg.min_recovery:
        raise CheckFailed(
            f"{report['recovery']:.1%} of the labelled sentences were recovered, fewer than "
            f"min_recovery={cfg.min_recovery:.1%}: {workspace.rehydration} lists the others"
        )


def read_copies(path: Path) -> dict[str, str]:
    """Return the user's articles, id → text: a folder of .txt files (the stem is the id), or a table, whole or in shards.

    Raises BadInput where there is none, a file is not UTF-8, or two have one id.
    """
    if not path.exists():
        raise BadInput(f"articles={path}: there is no such file or folder")
    if path.suffix == ".txt" or (path.is_dir() and path.suffix != ".parquet"):
        files = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
        pairs = [(f.stem, _read_text(f)) for f in files if f.stem.lower() != "readme"]
    else:
        columns = read_table(path, ("text",)).to_pydict()
        ids = columns.get("article_id", columns.get("id"))
        if ids is None:
            raise BadInput(f"{path}: expected the columns article_id (or id) and text, found {', '.join(columns)}")  # fmt: skip
        pairs = [(str(i), t or "") for i, t in zip(ids, columns["text"], strict=True)]
    twice = [name for name, n in Counter(name for name, _ in pairs).items() if n > 1]
    if twice:
        raise BadInput(f"articles={path}: two articles have the id {twice[0]!r}")
    if not pairs:
        raise BadInput(f"articles={path}: expected .txt files or a table, found none")
    return dict(pairs)


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected UTF-8, found {error}") from error


def with_text(
    tables: Tables,
    features: Mapping[str, Feature],
    sentences: Sequence[SentenceHash],
    found: Mapping[str, RecoveredArticle],
    scheme: Scheme,
) -> Tables:
    """Return the tables with text, context and long names put back; ``features`` are of ``gold``.

    Gold rows whose text is lost are left out; ``recovered_by`` is the tier of the others. A row that repeats a
    sentence which is now lost is counted in its place (``is_copy``).
    """
    back = [row for row in sentences if row["sentence_id"] in found[row["article_id"]].places]
    ids = [row["sentence_id"] for row in back]
    texts = [_text(found[row["article_id"]], row["sentence_id"]) for row in back]
    before, after = contexts(
        [row["article_id"] for row in back], texts, [row["furniture"] for row in back], CONTEXT
    )
    put_back = {
        sentence: {"text": text, "context_before": b, "context_after": a}
        for sentence, text, b, a in zip(ids, texts, before, after, strict=True)
    }
    columns: dict[str, Feature] = {
        name: feature
        for name, feature in (gold_features(scheme) | dict(features)).items()
        if name in features or name in ("text", "context_before", "context_after")
    } | {"recovered_by": value_feature("string")}
    gold = {split: [row for row in rows.to_pylist() if row["sentence_id"] in put_back]
            for split, rows in tables["gold"].items()}  # fmt: skip
    for rows in gold.values():
        for row in rows:
            row.update(put_back[row["sentence_id"]])
    counted = {_copy_key(row) for rows in gold.values() for row in rows if not row["is_copy"]}
    restored: Tables = {"gold": {}}
    for split, rows in gold.items():
        for row in rows:
            article = found[row["article_id"]]
            if "speaker_name" in row:  # a scheme need not ask for it
                row["speaker_name"] = _name(row, article)
            row["recovered_by"] = article.places[row["sentence_id"]].tier
            if row["is_copy"] and _copy_key(row) not in counted:
                row["is_copy"] = False
                counted.add(_copy_key(row))
            for name, feature in columns.items():
                if feature.get("_type") == "ClassLabel" and row[name] is not None:
                    row[name] = feature["names"][row[name]]
        values = {name: [row[name] for row in rows] for name in columns}
        restored["gold"][split] = make_table(columns, values, "gold")
    if "annotations" in tables:
        restored["annotations"] = {
            split: _with_names(rows, found) for split, rows in tables["annotations"].items()
        }
    return restored


def _text(article: RecoveredArticle, sentence: str) -> str:
    place = article.places[sentence]
    return article.text[place.start : place.end]


def _copy_key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["group_id"], row["target"], normalized(row["text"])


def _name(row: Mapping[str, Any], article: RecoveredArticle) -> str | None:
    """Return the speaker's name; one that was left out for its length from its span, which the same text has."""
    name: str | None = row["speaker_name"]
    if name is not None or row["speaker_start"] is None:
        return name
    same = any(place.tier == "text" for place in article.places.values())
    return article.text[row["speaker_start"] : row["speaker_end"]] if same else None


def _with_names(rows: pa.Table, found: Mapping[str, RecoveredArticle]) -> pa.Table:
    """Return annotations with the names that were left out for their length put back."""
    if "speaker_name" not in rows.column_names:
        return rows
    names = [_name(row, found[row["article_id"]]) for row in rows.to_pylist()]
    position = rows.schema.get_field_index("speaker_name")
    return rows.set_column(position, rows.schema.field(position), pa.array(names, pa.string()))


def recovery_report(
    tables: Tables,
    features: Features,
    sentences: Sequence[SentenceHash],
    found: Mapping[str, RecoveredArticle],
    *,
    question: str,
    release: str,
) -> Rehydration:
    """Return per article and per label what was recovered, what was not and why, furniture included."""
    labelled = {
        sentence
        for by_split in tables.values()
        for rows in by_split.values()
        for sentence in rows["sentence_id"].to_pylist()
    }
    articles = {
        name: ArticleRecovery(recovered=0, total=0, tiers=dict.fromkeys(TIERS, 0), lost=[], why={})
        for name in found
    }
    for row in sentences:
        if row["sentence_id"] not in labelled:
            continue
        entry, article = articles[row["article_id"]], found[row["article_id"]]
        entry["total"] += 1
        place = article.places.get(row["sentence_id"])
        if place is None:
            entry["lost"].append(row["sentence_id"])
            entry["why"][row["sentence_id"]] = article.why[row["sentence_id"]]
        else:
            entry["recovered"] += 1
            entry["tiers"][place.tier] += 1
    names = features["gold"][question]["names"]
    labels = {name: LabelRecovery(recovered=0, total=0) for name in names}
    for rows in tables["gold"].values():
        for gold in rows.select(["sentence_id", "article_id", question]).to_pylist():
            if gold[question] is not None:
                label = labels[names[gold[question]]]
                label["total"] += 1
                label["recovered"] += gold["sentence_id"] in found[gold["article_id"]].places
    recovered = sum(entry["recovered"] for entry in articles.values())
    total = sum(entry["total"] for entry in articles.values())
    return Rehydration(
        release=release, question=question, recovery=recovered / total, recovered=recovered,
        total=total, labels=labels, articles=articles,
    )  # fmt: skip


def summary(report: Rehydration, dataset: Path) -> str:
    """Return what a person wants to read: how much was recovered, of each label, and by which tier."""
    tiers = Counter[str]()
    for entry in report["articles"].values():
        tiers.update(entry["tiers"])
    by_tier = ", ".join(f"{tier} {tiers[tier]}" for tier in TIERS if tiers[tier]) or "none"
    lines = [
        f"{report['recovered']} of {report['total']} labelled sentences were recovered ({by_tier})",
        f"by {report['question']}: "
        + ", ".join(f"{name} {n['recovered']}/{n['total']}" for name, n in report["labels"].items()),
    ]  # fmt: skip
    short = [(name, e) for name, e in report["articles"].items() if e["lost"]]
    lines += [f"{name}: {e['recovered']} of {e['total']}, lost {', '.join(e['lost'][:5])}"
              + (f" and {len(e['lost']) - 5} more" if len(e["lost"]) > 5 else "") for name, e in short[:10]]  # fmt: skip
    if len(short) > 10:
        lines.append(f"and {len(short) - 10} more articles with losses, in rehydration.json")
    return "\n".join([*lines, f"wrote {dataset}"])
