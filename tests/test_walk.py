"""The whole way on the real campaign: five articles through a real Label Studio to a stand-off release."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from onrecord.core.files import read_jsonl
from onrecord.core.records import ARTICLES, SENTENCES
from onrecord.core.tables import read_parquet

ROOT = Path(__file__).parents[1]
RELEASE = ROOT / "data/287g/releases/v1.0.0"
TABLE = {  # ../shared/campaign/README.md: without furniture, all
    "speaker": (1.000, 1.000), "speaker_name": (0.991, 0.992),
    "claim_type": (0.991, 0.993), "stance": (0.971, 0.975),
}  # fmt: skip


@pytest.fixture(scope="module")
def walked(shared, label_studio_installed, tmp_path_factory, onrecord_process):
    """The workspace after ``onrecord demo campaign=287g`` on the day of the release, and what the demo printed."""
    workspace = tmp_path_factory.mktemp("walk") / "ws"
    folder = tmp_path_factory.mktemp("here")
    (folder / "data").mkdir()
    words = [f"workspace={workspace}", f"articles={shared / 'articles'}"]
    released = json.loads((RELEASE / "croissant.json").read_text(encoding="utf-8"))["datePublished"]
    with pytest.MonkeyPatch.context() as environment:
        day = datetime.fromisoformat(released).replace(tzinfo=UTC)
        environment.setenv("SOURCE_DATE_EPOCH", f"{day.timestamp():.0f}")
        done = onrecord_process("demo", "campaign=287g", *words, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return workspace, done.stdout, folder


def test_the_gold_spans_are_reproduced_exactly(walked, shared):
    workspace, _, _ = walked
    given = {
        (row["article"].removesuffix(".txt"), row["start"], row["end"])
        for row in read_jsonl(shared / "campaign/annotator-1.jsonl")
    }
    articles = read_parquet(workspace / "articles.parquet", ARTICLES).to_pylist()
    text = {a["article_id"]: a["text"] for a in articles}
    sentences = read_parquet(workspace / "sentences.parquet", SENTENCES).to_pylist()
    assert given <= {(s["article_id"], s["start"], s["end"]) for s in sentences}
    assert len(given) == 113
    assert all(text[s["article_id"]][s["start"] : s["end"]] == s["text"] for s in sentences)


def test_two_articles_are_one_group_of_four(walked):
    articles = read_parquet(walked[0] / "articles.parquet", ARTICLES).to_pylist()
    group = {a["article_id"][:3]: a["group_id"] for a in articles}
    assert group["000"] == group["002"]
    assert len(set(group.values())) == 4


def test_agreement_after_label_studio_is_the_published_table(walked):
    questions = json.loads((walked[0] / "agreement.json").read_text())["questions"]
    for name, (prose, everything) in TABLE.items():
        assert round(questions[name]["alpha"], 3) == prose, name
        assert round(questions[name]["with_furniture"]["alpha"], 3) == everything, name
        assert questions[name]["low"] is None
        assert questions[name]["n_tasks"] == 101


def test_every_label_came_back_as_it_was_entered(walked, shared):
    collected = {
        (row["annotator"], row["sentence_id"]): row
        for row in read_jsonl(walked[0] / "annotations.jsonl")
    }
    assert len(collected) == 339
    for number in (1, 2, 3):
        for row in read_jsonl(shared / f"campaign/annotator-{number}.jsonl"):
            sentence = f"{row['article'].removesuffix('.txt')}:{row['start']}-{row['end']}"
            back = collected[f"annotator-{number}", sentence]
            assert back["labels"] == row["labels"]
            assert sorted(back["flags"]) == sorted(row["flags"])
            assert back["seconds"] is None
            assert back["origin"] == "machine"
            assert back["guidelines_version"] == "1.0.0"


def test_the_screen_says_what_the_labels_are_and_why_there_is_no_interval(walked):
    assert "machine-made labels, not people" in walked[1]
    assert "no interval: 4 groups" in walked[1]
    assert "too small to evaluate" in walked[1]
    assert "onrecord serve campaign=287g" in walked[1]


def test_the_release_holds_no_eight_words_of_the_articles(walked, shared):
    def words(text):
        return re.findall(r"\w+", text.lower())

    runs = set()
    for file in (shared / "articles").glob("0*.txt"):
        found = words(file.read_text(encoding="utf-8"))
        runs |= {tuple(found[i : i + 8]) for i in range(len(found) - 7)}
    files = [f for f in (walked[0] / "releases/v1.0.0").rglob("*") if f.is_file()]
    assert files
    for file in files:
        values = (
            [str(v) for column in pq.read_table(file).to_pydict().values() for v in column]
            if file.suffix == ".parquet"
            else [file.read_text(encoding="utf-8", errors="replace")]
        )
        for value in values:
            found = words(value)
            assert not any(tuple(found[i : i + 8]) in runs for i in range(len(found) - 7)), file


def test_no_server_is_left_running(walked, onrecord):
    workspace, _, folder = walked
    stopped = onrecord("serve", "stop=true", "campaign=287g", f"workspace={workspace}", cwd=folder)
    assert "No Label Studio was running" in stopped.stdout


def test_gold_and_release_are_those_that_are_committed(walked):
    """Whoever walks the campaign gets the published bytes: nothing in them depends on the walk."""
    workspace, _, _ = walked
    assert (workspace / "gold.jsonl").read_bytes() == (ROOT / "data/287g/gold.jsonl").read_bytes()
    there, here = RELEASE, workspace / "releases/v1.0.0"
    names = sorted(f.relative_to(there) for f in there.rglob("*") if f.is_file())
    assert names == sorted(f.relative_to(here) for f in here.rglob("*") if f.is_file())
    changed = [str(n) for n in names if (there / n).read_bytes() != (here / n).read_bytes()]
    assert changed == []
