"""``agree`` and ``adjudicate`` on the sample's simulated labels: figures, page, and what is refused."""

import json
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from onrecord.campaign.agreement.page import contexts
from onrecord.core.files import check_row, read_jsonl, write_json, write_jsonl
from onrecord.core.records import ARTICLES, SENTENCES, Annotation, text_sha256
from onrecord.core.tables import read_parquet

ROOT = Path(__file__).parents[2]
QUESTIONS = ("speaker", "speaker_name", "claim_type", "stance")


def annotations(workspace):
    """The shipped labels as collected rows, a day apart by annotator, half of them under new guidelines."""
    sentences = {
        s["sentence_id"]: s
        for s in read_parquet(workspace / "sentences.parquet", SENTENCES).to_pylist()
    }
    rows = []
    for file in sorted((ROOT / "data/sample/simulated").glob("*.jsonl")):
        shipped = [r for r in read_jsonl(file) if r["sentence_id"] in sentences]
        for place, row in enumerate(shipped):
            moment = f"2026-0{1 + place % 9}-05T10:00:{place % 60:02d}Z"
            rows.append(
                {
                    "annotation_id": f"{file.stem}-{place}", "sentence_id": row["sentence_id"],
                    "annotator": row["annotator"], "round": "main", "target_id": "free-buses",
                    "labels": row["labels"], "speaker_span": row["speaker_span"], "flags": row["flags"],
                    "comment": "", "text_sha256": text_sha256(sentences[row["sentence_id"]]["text"]),
                    "seconds": row["seconds"], "created_at": moment, "updated_at": moment,
                    "suggestion_shown": place % 4 > 0, "guidelines_version": "1.0.0" if place % 9 < 4 else "1.1.0",
                    "scheme_version": 1, "purpose": "main", "status": "submitted", "origin": "simulated",
                }
            )  # fmt: skip
    check_row(rows[0], Annotation, "first row")
    return rows


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A workspace with the sample's sentences and annotations; copied by tests that change it."""
    workspace = tmp_path_factory.mktemp("agree") / "ws"
    for verb in (("ingest", "articles=data/sample/articles"), ("segment",), ("attribute",)):
        command = [sys.executable, "-m", "onrecord", *verb, f"workspace={workspace}"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    write_jsonl(workspace / "annotations.jsonl", annotations(workspace))
    return workspace


@pytest.fixture(scope="module")
def agreed(sample, onrecord):
    done = onrecord("agree", f"workspace={sample}")
    assert done.returncode == 0, done.stderr
    return sample, json.loads((sample / "agreement.json").read_text(encoding="utf-8")), done.stdout


def test_every_question_has_its_figures_with_intervals(agreed):
    _, report, screen = agreed
    assert tuple(report["questions"]) == QUESTIONS
    for name, q in report["questions"].items():
        assert q["low"] < q["alpha"] < q["high"], name
        for score in (q["percent"], q["ac1"]):
            assert score["low"] <= score["value"] <= score["high"]
        assert len(q["pairs"]) == 3
        assert q["by_guidelines"].keys() == {"1.0.0", "1.1.0"}
        assert len(q["by_week"]) == 9
        assert q["change"][0]["from"] == "1.0.0"
        assert f"alpha of {name}" in screen
    assert set(report["annotators"]) == {"annotator-1", "annotator-2", "annotator-3"}


def test_annotators_are_described(agreed):
    one = agreed[1]["annotators"]["annotator-1"]
    assert set(one["agreement_with_rest"]) == set(QUESTIONS)
    assert one["pace"]["seconds"] > 0
    assert set(one["bias"]["stance"]) == {"favor", "against", "neutral", "none"}


def test_the_known_answers_that_plan_set_apart_are_scored(sample, tmp_path, onrecord):
    workspace = changed(sample, tmp_path, lambda row: [row])
    rows = read_jsonl(workspace / "annotations.jsonl")
    labels = {
        row["sentence_id"]: row["labels"] for row in rows if row["annotator"] == "annotator-1"
    }
    known = {s: {"labels": labels[s], "why": ""} for s in list(labels)[:20]}
    write_json(workspace / "known.json", {"pass_mark": 0.7, "answers": known})
    done = onrecord("agree", f"workspace={workspace}")
    assert done.returncode == 0, done.stderr
    people = json.loads((workspace / "agreement.json").read_text(encoding="utf-8"))["annotators"]
    assert people["annotator-1"]["checks"]["stance"] == {"value": 1.0, "n": 20}
    assert people["annotator-2"]["checks"]["stance"]["value"] < 1


def test_the_control_arm_measures_anchoring(agreed):
    anchoring = agreed[1]["anchoring"]
    assert anchoring["seconds"]["low"] < anchoring["seconds"]["high"]
    assert anchoring["agreement"]["speaker"]["n"][0] > 100


def test_problems_name_the_clauses_and_are_plain(agreed):
    problems = agreed[1]["problems"]
    assert problems == sorted(problems, key=lambda row: -row["cost"])
    assert all(row["advice"].endswith(".") and row["clauses"] and row["votes"] for row in problems)
    assert any("more would halve it" in line for line in agreed[1]["advice"])


def test_a_dispute_stands_between_the_two_sentences_before_and_after_it(agreed):
    sentences = read_parquet(agreed[0] / "sentences.parquet", SENTENCES).to_pylist()
    articles = read_parquet(agreed[0] / "articles.parquet", ARTICLES).to_pylist()
    around = contexts(sentences, articles)
    one, article = sentences[10], sentences[10]["article_id"]
    assert [s["article_id"] for s in sentences[8:13]] == [article] * 5
    assert around[one["sentence_id"]]["before"] == f"{sentences[8]['text']} {sentences[9]['text']}"
    assert around[one["sentence_id"]]["after"] == f"{sentences[11]['text']} {sentences[12]['text']}"
    assert around[sentences[0]["sentence_id"]]["before"] == ""
    last = next(s for s in reversed(sentences) if s["article_id"] == article)
    assert around[last["sentence_id"]]["after"] == ""


def test_flags_and_what_is_enough_are_on_the_page(agreed):
    html = unescape((agreed[0] / "agreement.html").read_text(encoding="utf-8"))
    assert {row["flag"] for row in agreed[1]["flags"]} == {"needs_context", "several_speakers"}
    for row in agreed[1]["flags"]:
        assert f"{row['flag'].replace('_', ' ')} ({row['hint']})" in html
    needed = agreed[1]["enough"]["stance"]["needed"]["3"]
    assert f"{needed:,}" in html


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_works_offline_and_filters(agreed, chromium, scheme):
    page = chromium.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((agreed[0] / "agreement.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shown = "article.dispute:visible"
    everything = page.locator(shown).count()
    page.select_option("select[name=question]", "Stance")
    fewer = page.locator(shown).count()
    assert 0 < fewer < everything
    assert page.locator("output").inner_text() == f"{fewer} shown"
    page.select_option("select[name=label]", "against")
    both = page.locator(shown)
    assert 0 < both.count() < fewer
    page.select_option("select[name=annotator]", "annotator-2")  # who stands alone in bold
    assert 0 < both.count() < fewer
    own = both.first.locator("tr").filter(has_text="annotator-2")
    assert own.locator(".apart").count() > 0
    for name in ("question", "label", "annotator"):
        page.select_option(f"select[name={name}]", "")
    assert page.locator(shown).count() == everything
    assert page.locator("mark").first.inner_text().strip()
    page.close()
    assert len(asked) == 1
    assert errors == []


def test_a_minimum_and_a_second_run_change_nothing(agreed, onrecord):
    before = {n: (agreed[0] / n).read_bytes() for n in ("agreement.json", "agreement.html")}
    done = onrecord("agree", f"workspace={agreed[0]}")
    assert done.returncode == 0
    assert before == {n: (agreed[0] / n).read_bytes() for n in before}


def changed(sample, tmp_path, change):
    workspace = shutil.copytree(sample, tmp_path / "ws")
    rows = read_jsonl(workspace / "annotations.jsonl")
    write_jsonl(workspace / "annotations.jsonl", [r for row in rows for r in change(row)])
    return workspace


def test_a_question_that_nobody_answered_says_so(sample, tmp_path, onrecord):
    workspace = changed(
        sample, tmp_path, lambda r: [r | {"labels": r["labels"] | {"stance": None}}]
    )
    done = onrecord("agree", f"workspace={workspace}")
    assert done.returncode == 0, done.stderr
    assert "alpha of stance        undefined (no task has two annotations)" in done.stdout
    found = json.loads((workspace / "agreement.json").read_text())["questions"]["stance"]
    assert (found["alpha"], found["n_annotations"]) == (None, 0)


def test_one_label_in_use_is_undefined_not_perfect(sample, tmp_path, onrecord):
    workspace = changed(
        sample, tmp_path, lambda r: [r | {"labels": r["labels"] | {"stance": "none"}}]
    )
    done = onrecord("agree", f"workspace={workspace}")
    assert re.search(r"stance +undefined \(only the label 'none' was ever used", done.stdout)


def test_a_label_outside_the_scheme_is_exit_2_and_writes_nothing(sample, tmp_path, onrecord):
    workspace = changed(
        sample, tmp_path, lambda r: [r | {"labels": r["labels"] | {"stance": "maybe"}}]
    )
    (workspace / "agreement.json").unlink(missing_ok=True)
    done = onrecord("agree", f"workspace={workspace}")
    assert done.returncode == 2
    assert "annotation annotator-1-0: stance 'maybe' is not in the scheme" in done.stderr
    assert not (workspace / "agreement.json").exists()
    done = onrecord("adjudicate", f"workspace={workspace}")
    assert done.returncode == 2
    assert "annotation annotator-1-0: stance 'maybe' is not in the scheme" in done.stderr


def test_one_person_in_two_pseudonyms_is_noticed(sample, tmp_path, onrecord):
    def doubled(row):
        other = row | {"annotator": "annotator-9", "annotation_id": f"again-{row['annotation_id']}"}
        return [row, other] if row["annotator"] == "annotator-1" else [row]

    done = onrecord("agree", f"workspace={changed(sample, tmp_path, doubled)}")
    assert "annotator-1 and annotator-9 never differ" in done.stdout
