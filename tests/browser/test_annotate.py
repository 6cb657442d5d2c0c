"""A person at the labeling page of a real Label Studio: what they answer is what `collect` brings back."""

import csv

import pytest
from playwright.sync_api import expect

from onrecord import ROOT
from onrecord.cli.app import main
from onrecord.core.files import read_json, read_jsonl
from onrecord.core.records import SENTENCES
from onrecord.core.tables import read_parquet
from onrecord.core.votes import latest_annotations


def logins(workspace):
    with (workspace / "logins.csv").open() as file:
        return {row["annotator"]: row for row in csv.DictReader(file)}


def collected(words, workspace):
    assert main(["collect", *words]) == 0
    rows = latest_annotations(read_jsonl(workspace / "annotations.jsonl"))
    return {row["sentence_id"]: row for row in rows}


def test_five_sentences_by_keyboard_one_corrected(
    campaign_workspace, team_server, labelstudio, annotator_at
):
    words = campaign_workspace("browser-five")
    workspace = words.workspace
    words = [*words, team_server]
    assert main(["plan", *words, "annotators=1"]) == 0
    assert main(["launch", *words]) == 0
    launched = read_jsonl(workspace / "launched.jsonl")
    login = logins(workspace)["annotator-1"]
    ann = annotator_at(labelstudio.url, login["email"], login["password"])
    ann.open(launched[0]["project_id"])
    wanted = {}

    def label(speaker, claim, stance, *, name=None, flag=None, comment=""):
        row = launched[len(wanted)]
        before = ann.sentence()
        ann.answer("speaker", speaker)
        ann.answer("claim_type", claim)
        ann.answer("stance", stance)
        if name:
            ann.press("l", "another name")
            ann.write("speaker_name_text", name)
        if flag:
            ann.press(*flag)
        if comment:
            ann.write("comment", comment)
        wanted[row["sentence_id"]] = (
            {"speaker": speaker, "speaker_name": name, "claim_type": claim, "stance": stance},
            [flag[1]] if flag else [],
            comment,
        )
        ann.submit()
        ann.wait_for_other(before)

    label("author", "fact", "neutral")
    label("advocate", "judgement", "favor", name="Riders’ Union of Veldon")
    label(
        "author",
        "rule",
        "none",
        flag=("x", "several_speakers"),
        comment="two speakers <b>at once</b>",
    )
    label("none", "none", "none")
    fourth = launched[3]["sentence_id"]
    ann.page.get_by_test_id("prev-task").click()
    ann.answer("stance", "against")
    ann.answer("speaker", "author")
    ann.answer("claim_type", "effect")
    ann.submit()
    wanted[fourth] = (
        {"speaker": "author", "speaker_name": None, "claim_type": "effect", "stance": "against"},
        [],
        "",
    )
    ann.page.get_by_test_id("next-task").click()
    ann.page.wait_for_timeout(800)
    label("author", "policy", "favor")
    rows = collected(words, workspace)
    lines = read_jsonl(workspace / "annotations.jsonl")

    second = launched[1]  # corrected later, reached from the list of tasks
    ann.open_from_list(second["project_id"], second["ls_task_id"])
    expect(ann.page.locator(".or-sentence .lsf-richtext__container")).to_have_text(
        dict(sentences(workspace))[second["sentence_id"]]
    )
    ann.answer("stance", "against")
    ann.update()
    wanted[second["sentence_id"]][0]["stance"] = "against"
    earlier, rows = rows, collected(words, workspace)
    assert read_jsonl(workspace / "annotations.jsonl")[: len(lines)] == lines
    assert len(rows) == len(earlier)
    assert {k: (r["labels"], r["flags"], r["comment"]) for k, r in rows.items()} == wanted
    assert all(row["seconds"] > 0 for row in rows.values())
    assert ann.dialogs == []


def test_two_annotators_through_qualification_and_main_round(
    campaign_workspace, team_server, labelstudio, annotator_at
):
    words = campaign_workspace("browser-round")
    workspace = words.workspace
    words = [*words, team_server]
    plan = [
        "annotators=2", f"known={ROOT / 'data/sample/writer.jsonl'}", "qualification.tasks=2",
        "qualification.tries=2", "budget=4", "checks_share=0.25", "suggestions=false",
    ]  # fmt: skip
    assert main(["plan", *words, *plan]) == 0
    known = read_json(workspace / "known.json")["answers"]
    writer = {r["sentence_id"]: r["labels"] for r in read_jsonl(ROOT / "data/sample/writer.jsonl")}
    wanted, seats = {}, {}

    def launch():
        assert main(["launch", *words]) == 0
        for annotator, login in logins(workspace).items():
            if annotator not in seats:
                seats[annotator] = annotator_at(
                    labelstudio.url, login["email"], login["password"], 1024, 768
                )
        return read_jsonl(workspace / "launched.jsonl")

    def sit(annotator, round_name, answers, special=None):
        ann = seats[annotator]
        rows = [r for r in launched if (r["annotator"], r["round"]) == (annotator, round_name)]
        ann.open(rows[0]["project_id"])
        for number, row in enumerate(rows):
            before = ann.sentence()
            if special == "correct" and number == 2:
                ann.page.get_by_test_id("prev-task").click()
                ann.wait_for_other(before)
                ann.answer("stance", "against")
                ann.submit()
                state, earlier, *rest = wanted[rows[1]["task_id"]]
                wanted[rows[1]["task_id"]] = (state, earlier | {"stance": "against"}, *rest)
                ann.page.get_by_test_id("next-task").click()
                expect(ann.page.locator(".or-sentence .lsf-richtext__container")).to_have_text(
                    before
                )
            labels = dict(answers(row["sentence_id"]))
            flags, comment = [], ""
            if special == "skip" and number == 0:
                ann.skip()
                wanted[row["task_id"]] = ("skipped", {}, [], "")
            else:
                ann.answer("speaker", labels["speaker"])
                if labels["speaker_name"]:
                    ann.name(labels["speaker_name"])
                ann.answer("claim_type", labels["claim_type"])
                ann.answer("stance", labels["stance"])
                if special and number == 1:
                    ann.press("z", "needs_context")
                    flags, comment = ["needs_context"], "“quoted” & <i>odd</i>"
                    ann.write("comment", comment)
                ann.submit()
                wanted[row["task_id"]] = ("submitted", labels, flags, comment)
            if row is not rows[-1]:
                ann.wait_for_other(before)
        ann.page.get_by_text("No More Tasks Left in Queue").wait_for()

    def wrong(sentence):
        choices = {
            "speaker": ("author", "none"),
            "claim_type": ("rule", "fact"),
            "stance": ("favor", "none"),
        }
        right = known[sentence]["labels"]
        return {"speaker_name": None} | {
            q: a if right[q] != a else b for q, (a, b) in choices.items()
        }

    launched = launch()
    assert {r["round"] for r in launched} == {"qualification"}
    sit("annotator-1", "qualification", lambda s: known[s]["labels"])
    sit("annotator-2", "qualification", wrong)
    assert main(["status", *words]) == 0
    states = {
        r["annotator"]: r["state"]
        for r in read_jsonl(workspace / "qualification.jsonl")
        if r["done"]
    }
    assert states == {"annotator-1": "passed", "annotator-2": "failed"}
    assert "to look at again" in (workspace / "practice/annotator-2.html").read_text()
    launched = launch()
    assert {(r["annotator"], r["round"]) for r in launched} >= {
        ("annotator-2", "qualification-2"), ("annotator-1", "main"),
    }  # fmt: skip
    assert ("annotator-2", "main") not in {(r["annotator"], r["round"]) for r in launched}
    sit("annotator-2", "qualification-2", lambda s: known[s]["labels"])
    assert main(["collect", *words]) == 0
    launched = launch()
    odd = {
        "speaker": "other",
        "speaker_name": "A reader of “The Ledger”",
        "claim_type": "effect",
        "stance": "favor",
    }
    sit("annotator-1", "main", lambda s: writer[s], special="skip")
    sit("annotator-2", "main", lambda s: odd, special="correct")
    assert main(["status", *words]) == 0
    found = {
        r["annotation_id"]: (r["status"], r["labels"], r["flags"], r["comment"])
        for r in latest_annotations(read_jsonl(workspace / "annotations.jsonl"))
    }
    assert found == wanted
    html = (workspace / "status.html").read_text()
    assert "“quoted” &amp; &lt;i&gt;odd&lt;/i&gt;" in html
    adjudicate_two(words, workspace, labelstudio.url, annotator_at)
    assert all(seat.dialogs == [] for seat in seats.values())


def adjudicate_two(words, workspace, url, annotator_at):
    """A third person settles by mouse two sentences that the annotators left open, and gold says so."""
    assert main(["adjudicate", *words, "round=open"]) == 0
    opened = read_jsonl(workspace / "unresolved.jsonl")
    launched = [r for r in read_jsonl(workspace / "launched.jsonl") if r["round"] == "adjudication"]
    assert {r["annotator"] for r in launched} == {"adjudicator"}
    assert len(launched) == len(opened) >= 2
    with (workspace / "adjudicators.csv").open() as file:
        (login,) = csv.DictReader(file)
    ann = annotator_at(url, login["email"], login["password"], 1024, 768)
    ann.open(launched[0]["project_id"])
    answers = ann.page.locator(".or-answers p")
    given = [
        r
        for r in latest_annotations(read_jsonl(workspace / "annotations.jsonl"))
        if (r["sentence_id"], r["purpose"], r["status"])
        == (launched[0]["sentence_id"], "main", "submitted")
    ]
    expect(answers).to_have_count(len(given))
    shown = ann.page.locator(".or-answers").inner_text()
    assert len(given) == 2
    for row in given:
        assert f"claim type: {row['labels']['claim_type']}" in shown
        assert row["annotator"] not in ann.page.content()
        assert row["comment"] in shown
    ann.page.screenshot(path=workspace / "adjudication.png")
    assert ann.page.evaluate(FITS) in ([], ["the questions need scrolling"])
    for row in launched[:2]:
        before = ann.sentence()
        for question, label in (
            ("speaker", "author"),
            ("claim_type", "fact"),
            ("stance", "neutral"),
        ):
            ann.click(question, label)
        ann.submit(by_click=True)
        if row is not launched[-1]:
            ann.wait_for_other(before)
    assert main(["adjudicate", *words, "round=close"]) == 0
    gold = {r["sentence_id"]: r for r in read_jsonl(workspace / "gold.jsonl")}
    for row in launched[:2]:
        settled = gold[row["sentence_id"]]
        assert settled["labels"] == {
            "speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "neutral",
        }  # fmt: skip
        assert set(settled["decided_by"].values()) == {"adjudicator"}
    assert {r["sentence_id"] for r in read_jsonl(workspace / "unresolved.jsonl")} == {
        r["sentence_id"] for r in launched[2:]
    }
    assert ann.dialogs == []


HOSTILE = [
    "<script>document.title = 'owned'</script>The mayor said {{constructor}} and ${x} and $sentence.",
    '<img src=x onerror="alert(1)"> she wrote &amp; {% raw %} <b>bold</b>.',
    "قال رئيس البلدية إن الحافلات ستكون مجانية ابتداء من الشهر المقبل.",
    "ראש העיר אמר שהאוטובוסים יהיו בחינם.",
    "It went " + "on and on, clause upon clause, " * 170 + "until the end.",
    "W" * 5000 + ".",
]


@pytest.mark.parametrize(("width", "height"), [(1400, 1000), (1024, 768)])
def test_any_text_shows_as_text_and_the_page_fits_the_screen(
    tmp_path, team_server, labelstudio, annotator_at, width, height
):
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "hostile.txt").write_text("\n".join(HOSTILE), encoding="utf-8")
    words = [
        "campaign=sample", f"campaign.name=hostile-{width}", f"workspace={tmp_path}", team_server,
        "campaign.target.name='<b>free</b> {{buses}}'", "campaign.send_furniture=true",
    ]  # fmt: skip
    for step in (["ingest", f"articles={tmp_path / 'articles'}"], ["segment"], ["attribute"]):
        assert main([*step, *words]) == 0
    assert main(["plan", *words, "annotators=1"]) == 0
    assert main(["launch", *words]) == 0
    launched = read_jsonl(tmp_path / "launched.jsonl")
    texts = dict(sentences(tmp_path))
    login = logins(tmp_path)["annotator-1"]
    ann = annotator_at(labelstudio.url, login["email"], login["password"], width, height)
    ann.open(launched[0]["project_id"])
    for row in launched:
        text = texts[row["sentence_id"]]
        expect(ann.page.locator(".or-sentence .lsf-richtext__container")).to_have_text(text)
        assert ann.page.locator(".or-target").inner_text().split("\n")[1] == "<b>free</b> {{buses}}"
        ann.answer("speaker", "expert")  # the fullest page: with the names
        assert ann.page.evaluate(FITS) == []
        ann.page.get_by_test_id("next-task").click()
        if row is not launched[-1]:
            ann.wait_for_other(text)
    assert ann.dialogs == []
    assert "owned" not in ann.page.title()


# What of the page lies outside the window, or has to be scrolled sideways, or (the questions) at all.
FITS = """() => {
  const bar = document.querySelector('.lsf-bottombar').getBoundingClientRect().top, wrong = [];
  for (const box of document.querySelectorAll('.or-target, .or-article, .or-questions, .or-before, .or-sentence, .or-after')) {
    const at = box.getBoundingClientRect();
    if (at.bottom > bar + 1 || at.right > innerWidth || at.left < 0) wrong.push(box.className + ' lies outside');
    if (box.scrollWidth > box.clientWidth + 1) wrong.push(box.className + ' is too wide');
  }
  const asked = document.querySelector('.or-questions');
  if (asked.scrollHeight > asked.clientHeight + 1) wrong.push('the questions need scrolling');
  return wrong;
}"""


def sentences(workspace):
    table = read_parquet(workspace / "sentences.parquet", SENTENCES)
    return zip(table["sentence_id"].to_pylist(), table["text"].to_pylist(), strict=True)
