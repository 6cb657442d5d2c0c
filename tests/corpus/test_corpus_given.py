"""The given articles and the sample: spans, furniture and groups as people marked them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from onrecord.corpus import dedupe
from onrecord.corpus.ingest import group_columns
from onrecord.corpus.readers.articles import article
from onrecord.corpus.segment import sentences
from onrecord.corpus.splitter import make_splitter

ROOT = Path(__file__).parents[2]
SPLIT = make_splitter(yaml.safe_load((ROOT / "conf/splitter/english.yaml").read_text("utf-8")))
DEDUPE = yaml.safe_load((ROOT / "conf/ingest.yaml").read_text("utf-8"))["dedupe"]
SAMPLE = ROOT / "data/sample"


def read(path: Path, known: dict[str, str] | None = None) -> dict[str, Any]:
    text = path.read_bytes().decode("utf-8")
    return article({"id": path.stem, "text": text, "where": str(path)}, known or {}, path.name)


def with_groups(rows: list[dict[str, Any]], folder: Path) -> dict[str, dict[str, Any]]:
    path, rules = folder / "sketches", dict(DEDUPE)
    dedupe.write_sketches(
        path, [r["text"] for r in rows], bands=rules["bands"], rows=rules.pop("rows")
    )
    roots = dedupe.groups(dedupe.Sketches([path]), **rules).tolist()
    groups = group_columns([r["article_id"] for r in rows], [r["published"] for r in rows], roots)
    return {
        row["article_id"]: row | {"group_id": group, "copy_of": copy}
        for row, group, copy in zip(rows, *groups, strict=True)
    }


@pytest.fixture(scope="module")
def five(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    rows = [read(p) for p in sorted((shared / "articles").glob("*.txt"))]
    return with_groups(rows, tmp_path_factory.mktemp("five"))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    paths = sorted((SAMPLE / "articles").glob("*.txt"))
    with (SAMPLE / "articles.csv").open(encoding="utf-8", newline="") as file:
        known = {row.pop("file"): row for row in csv.DictReader(file)}
    rows = [read(p, known.get(p.name)) for p in paths]
    return with_groups(rows, tmp_path_factory.mktemp("sample"))


def spans(articles: dict[str, dict[str, Any]]) -> dict[tuple[str, int, int], str | None]:
    found = {}
    for row in articles.values():
        for sentence in sentences(row, SPLIT):
            assert row["text"][sentence["start"] : sentence["end"]] == sentence["text"]
            key = (row["article_id"], sentence["start"], sentence["end"])
            found[key] = sentence["furniture"]
    return found


def test_the_113_gold_spans_and_12_furniture_lines(five, shared):
    lines = (shared / "campaign/annotator-1.jsonl").read_text("utf-8").splitlines()
    gold = [json.loads(line) for line in lines]
    want = {
        (r["article"].removesuffix(".txt"), r["start"], r["end"]): r["labels"]["speaker"] == "none"
        for r in gold
    }
    found = spans(five)
    assert len(want) == 113
    assert found.keys() == want.keys()
    assert {k for k, kind in found.items() if kind} == {k for k, none in want.items() if none}
    kinds = sorted(kind for kind in found.values() if kind)
    assert kinds == ["bio"] * 4 + ["byline", "caption", "comments", "comments", "credit", "cue"] + [
        "date",
        "promo",
    ]


def test_two_formattings_of_one_story_are_one_group_of_four(five):
    ids = {name[:3]: name for name in five}
    assert five[ids["002"]]["copy_of"] == ids["000"]
    assert five[ids["000"]]["copy_of"] is None
    assert len({row["group_id"] for row in five.values()}) == 4


def test_the_sample_is_split_and_marked_as_its_writer_did(sample):
    rows = [json.loads(line) for line in (SAMPLE / "writer.jsonl").read_text("utf-8").splitlines()]
    want = {(r["article_id"], r["start"], r["end"]): r["furniture"] for r in rows}
    assert spans(sample) == want


def test_the_samples_edited_copies_are_its_groups(sample):
    copies = {}
    for name, row in sample.items():
        copies.setdefault(row["group_id"], []).append(name[:3])
    assert [names for names in copies.values() if len(names) > 1] == [
        ["005", "006"],
        ["008", "009", "010"],
        ["013", "014", "015"],
    ]
