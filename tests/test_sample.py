"""The sample campaign's files: exact offsets, labels under the guidelines, balance, and a repeatable simulation."""

import csv
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onrecord.core.files import read_jsonl
from onrecord.core.records import FURNITURE_KINDS, sentence_id, text_sha256

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"
ANNOTATORS = ("annotator-1", "annotator-2", "annotator-3")

# Article → story, as declared in data/sample/README.md; any other article is a group of its own.
COPIES = {
    "005_journal_route-17": "route-17",
    "006_dock_route-17": "route-17",
    "008_ledger_first-reading": "first-reading",
    "009_journal_first-reading": "first-reading",
    "010_openward_first-reading": "first-reading",
    "013_ledger_statehouse": "statehouse",
    "014_openward_statehouse": "statehouse",
    "015_dock_statehouse": "statehouse",
}

Row = dict[str, Any]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {
        p.stem: p.read_bytes().decode("utf-8") for p in sorted((SAMPLE / "articles").glob("*.txt"))
    }


@pytest.fixture(scope="module")
def gold() -> list[Row]:
    return read_jsonl(SAMPLE / "writer.jsonl")


@pytest.fixture(scope="module")
def prose(gold: list[Row]) -> list[Row]:
    return [row for row in gold if row["furniture"] is None]


@pytest.fixture(scope="module")
def sidecar() -> dict[str, dict[str, str]]:
    with (SAMPLE / "articles.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"].removesuffix(".txt"): row for row in csv.DictReader(file)}


def group(row: Row) -> str:
    return COPIES.get(row["article_id"], row["article_id"])


def test_every_article_is_in_the_sidecar_with_what_its_text_has(texts, sidecar):
    assert set(texts) == set(sidecar)
    for name, row in sidecar.items():
        assert row["title"] in texts[name], name
        assert row["byline"] in texts[name], name
        assert ".example/" in row["url"], name
    assert len({row["outlet"] for row in sidecar.values()}) == 4


def test_sentences_and_gaps_make_up_each_article(texts, gold):
    ends = dict.fromkeys(texts, 0)
    for row in gold:
        name, start, end = row["article_id"], row["start"], row["end"]
        sentence = texts[name][start:end]
        assert row["sentence_id"] == sentence_id(name, start, end)
        assert row["text_sha256"] == text_sha256(sentence)
        assert sentence == sentence.strip(), row["sentence_id"]
        assert "\n" not in sentence, row["sentence_id"]
        assert not texts[name][ends[name] : start].strip(" \r\n\ufeff"), row["sentence_id"]
        ends[name] = end
    assert all(not texts[name][end:].strip() for name, end in ends.items())
    assert [(r["article_id"], r["start"]) for r in gold] == sorted(
        (r["article_id"], r["start"]) for r in gold
    )


def check_labels(row: Row, text: str) -> None:
    """The guidelines' invariants: what follows for the other answers from each answer."""
    labels, span = row["labels"], row["speaker_span"]
    if labels["speaker"] == "none":
        assert labels["claim_type"] == labels["stance"] == "none", row["sentence_id"]
    if labels["speaker"] in ("author", "none"):
        assert labels["speaker_name"] is None, row["sentence_id"]
        assert span is None, row["sentence_id"]
    else:
        assert labels["speaker_name"], row["sentence_id"]
        assert text[span["start"] : span["end"]] == labels["speaker_name"], row["sentence_id"]


def test_the_writers_labels_follow_the_guidelines(texts, gold):
    for row in gold:
        check_labels(row, texts[row["article_id"]])
        assert (row["labels"]["speaker"] == "none") == (row["furniture"] is not None)
        assert row["furniture"] == (None if row["part"] in ("headline", "deck") else row["part"])
        if "needs_context" in row["flags"]:
            assert row["labels"]["stance"] in ("favor", "against"), row["sentence_id"]


def test_a_copied_sentence_is_labelled_as_its_original(texts, prose):
    seen: dict[tuple[str, str], Row] = {}
    for row in prose:
        text = texts[row["article_id"]][row["start"] : row["end"]]
        plain = text.translate(str.maketrans("“”‘’", "\"\"''"))
        first = seen.setdefault((group(row), plain), row)
        assert first["labels"] == row["labels"], row["sentence_id"]


def test_every_kind_of_furniture_stands_in_two_articles(gold):
    where = defaultdict(set)
    for row in gold:
        where[row["part"]].add(row["article_id"])
    where.pop(None)
    assert {kind for kind, articles in where.items() if len(articles) >= 2} == set(FURNITURE_KINDS)


def share_right(rows: list[Row], guess: Callable[[Row], str | None], fallback: str) -> float:
    right = sum((guess(row) or fallback) == row["labels"]["stance"] for row in rows)
    return right / len(rows)


def best_guess(
    rows: list[Row], key: Callable[[Row], str], *, held_out: bool
) -> Callable[[Row], str | None]:
    """The commonest stance of rows with the same key: of all of them, or of other groups alone."""
    tables: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for row in rows:
        tables[key(row)][group(row), row["labels"]["stance"]] += 1

    def guess(row: Row) -> str | None:
        votes: Counter[str] = Counter()
        for (where, stance), n in tables[key(row)].items():
            if not held_out or where != group(row):
                votes[stance] += n
        return votes.most_common(1)[0][0] if votes else None

    return guess


def test_the_sample_is_large_and_even_enough(texts, gold, prose):
    assert len(texts) >= 28
    assert len({group(row) for row in gold}) >= 21
    assert len(prose) >= 420
    assert 1 - len(prose) / len(gold) <= 0.18
    count = {q: Counter(row["labels"][q] for row in prose) for q in prose[0]["labels"]}
    groups = defaultdict(set)
    for row in prose:
        groups[row["labels"]["stance"]].add(group(row))
    for stance in ("favor", "against", "neutral", "none"):
        assert count["stance"][stance] >= 60
        assert len(groups[stance]) >= 8
    for claim_type in ("policy", "effect", "judgement", "rule", "fact"):
        assert count["claim_type"][claim_type] >= 30
    for speaker in ("author", "politician", "agency", "advocate", "expert", "other"):
        assert count["speaker"][speaker] >= 20


def test_neither_outlet_nor_speaker_gives_the_stance_away(prose, sidecar):
    majority, n = Counter(row["labels"]["stance"] for row in prose).most_common(1)[0]

    def outlet(row: Row) -> str:
        return sidecar[row["article_id"]]["outlet"]

    def speaker(row: Row) -> str:
        return row["labels"]["speaker"]

    def name(row: Row) -> str:
        return row["labels"]["speaker_name"] or row["labels"]["speaker"]

    for key, held_out in ((outlet, False), (speaker, False), (name, True)):
        guess = best_guess(prose, key, held_out=held_out)
        assert share_right(prose, guess, majority) <= n / len(prose) + 0.10, key.__name__
    by_outlet = Counter((outlet(row), row["labels"]["stance"]) for row in prose)
    assert len(by_outlet) == 16
    assert min(by_outlet.values()) >= 10


def test_the_texts_are_as_awkward_as_real_ones(texts):
    assert sum("\r\n" in text for text in texts.values()) == 1
    assert sum(text.startswith("\ufeff") for text in texts.values()) == 1
    for mark in ("“", '"', "‘", "\u00a0", "🚕", "…", "!?", "?!", "a.m.", "St. ", "Sen. ", "U.S. "):
        assert any(mark in text for text in texts.values()), mark


@pytest.mark.parametrize("name", ANNOTATORS)
def test_the_simulated_annotators_answer_every_sentence_of_prose_once(name, texts, prose):
    rows = read_jsonl(SAMPLE / "simulated" / f"{name}.jsonl")
    assert Counter(r["sentence_id"] for r in rows) == Counter(r["sentence_id"] for r in prose)
    hashes = {row["sentence_id"]: row["text_sha256"] for row in prose}
    for row in rows:
        check_labels(row, texts[row["article_id"]])
        assert row["annotator"] == name
        assert row["origin"] == "simulated"
        assert row["text_sha256"] == hashes[row["sentence_id"]]
        assert row["seconds"] >= 2


def test_the_simulation_gives_the_committed_bytes_again(tmp_path):
    script = ROOT / "tools" / "simulate_sample.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True, capture_output=True)
    for name in ANNOTATORS:
        made = (tmp_path / f"{name}.jsonl").read_bytes()
        assert made == (SAMPLE / "simulated" / f"{name}.jsonl").read_bytes(), name
