"""What annotators are shown and what they answer: exact, escaped, and telling nothing of a task's purpose."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord import ROOT
from onrecord.campaign.backend import Task
from onrecord.campaign.labelstudio.label_config import render_label_config
from onrecord.campaign.labelstudio.projects import check_suggestions
from onrecord.campaign.labelstudio.result_format import OTHER_NAME, from_result, to_result
from onrecord.campaign.labelstudio.tasks import check_import, import_task
from onrecord.campaign.task_content import (
    fill_target,
    instructions,
    read_model_labels,
    tasks_of,
)
from onrecord.campaign.text_context import escape, near_spans
from onrecord.core.errors import BadInput
from onrecord.core.files import write_json
from onrecord.scheme.scheme import load_scheme, parse_scheme

SCHEME = load_scheme(ROOT / "annotation")
TARGET = {
    "id": "t", "name": "free buses", "opposite": "fares",
    "aliases": ["zero fare"], "opposites": ["raising fares"],
}  # fmt: skip
NAMED = ["politician", "agency", "advocate", "expert", "other"]
name = st.text(min_size=1).map(str.strip).filter(bool)
flags = st.lists(st.sampled_from([f.name for f in SCHEME.flags]), unique=True).map(
    lambda chosen: [f.name for f in SCHEME.flags if f.name in chosen]
)


@st.composite
def answered(draw):
    labels = {
        q.name: draw(st.sampled_from([*q.names, None]))
        for q in SCHEME.questions.values()
        if q.kind == "label"
    }
    labels["speaker_name"] = draw(name | st.none()) if labels["speaker"] in NAMED else None
    return labels


@given(answered(), st.lists(name, max_size=7), flags, st.text().map(str.strip))
def test_answers_come_back_as_they_went(labels, names, flags, comment):
    result = to_result(labels, SCHEME, names=names, flags=flags, comment=comment)
    back = from_result(result, SCHEME, "annotation 1")
    assert back == (labels, flags, comment)


def test_a_name_of_the_list_is_a_choice_and_any_other_is_text():
    labels = {"speaker": "expert", "speaker_name": "Ann Lee"}
    listed = to_result(labels, SCHEME, names=["Ann Lee"])
    typed = to_result(labels, SCHEME, names=["Bo Ray"])
    assert [item["value"] for item in listed] == [{"choices": ["expert"]}, {"choices": ["Ann Lee"]}]
    assert [item["value"] for item in typed][1:] == [
        {"choices": [OTHER_NAME]},
        {"text": ["Ann Lee"]},
    ]


def test_the_name_of_an_author_is_forgotten():
    result = to_result({"speaker": "expert", "speaker_name": "Ann Lee"}, SCHEME, names=["Ann Lee"])
    result[0]["value"]["choices"] = ["author"]
    assert from_result(result, SCHEME, "x").labels["speaker_name"] is None


def choice(control, *values):
    return {"from_name": control, "type": "choices", "value": {"choices": list(values)}}


@pytest.mark.parametrize(
    ("result", "complaint"),
    [
        pytest.param([choice("stance", "maybe")], "a1: stance 'maybe' is not in the scheme", id="label"),
        pytest.param([choice("mood", "glad")], "choices 'mood' is not in the scheme", id="question"),
        pytest.param([choice("flags", "red")], "flag 'red'", id="flag"),
        pytest.param([choice("stance", "favor", "against")], "2 answers, expected one", id="two"),
        pytest.param([{"type": "labels", "value": {}}], "expected choices or a text", id="type"),
        pytest.param([{"type": "choices", "value": {"choices": [1]}}], "expected choices", id="value"),
        pytest.param(None, "result list", id="none"),
        pytest.param(["stance"], "expected choices or a text", id="shape"),
        pytest.param(
            [{"from_name": "x", "type": "textarea", "value": {"text": ["y"]}}],
            "textarea 'x' is not in the scheme", id="text",
        ),
    ],
)  # fmt: skip
def test_what_the_scheme_lacks_is_refused(result, complaint):
    with pytest.raises(BadInput, match=complaint):
        from_result(result, SCHEME, "a1")


def test_the_committed_page_is_what_the_scheme_renders():
    committed = (ROOT / "annotation" / "label_config.xml").read_text(encoding="utf-8")
    assert committed == render_label_config(SCHEME), "stale: run `make render`"


LABELS = {"speaker": "expert", "speaker_name": "Bo Ray", "claim_type": "fact", "stance": "none"}


def test_label_studio_takes_the_page_and_every_answer():
    for names in ([], ["Bo Ray"]):
        task = hostile_task(suggestion=LABELS, suggested_by="attributor", names=names)
        assert {item["from_name"] for item in task["predictions"][0]["result"]} >= set(LABELS)
        check_import(render_label_config(SCHEME), [task, task], SCHEME)
    shown = hostile_task(answers="<p>favor</p>")
    check_import(render_label_config(SCHEME, with_answers=True), [shown], SCHEME)


@pytest.mark.parametrize(
    ("task", "config", "complaint"),
    [
        pytest.param({}, {"stance": "claim_type"}, "config rendered .* non-unique names", id="twice"),
        pytest.param({}, {'"$after"': '"$later"'}, "its data lack a variable", id="variable"),
        pytest.param(
            {"suggestion": LABELS | {"stance": "maybe"}}, {}, "task f00d: its suggestion .*maybe", id="label"
        ),
        pytest.param({"suggestion": LABELS}, {"claim_type": "kind"}, "suggestion .*claim_type", id="control"),
    ],
)  # fmt: skip
def test_what_label_studio_would_store_unchecked_is_refused_before_it_is_sent(
    task, config, complaint
):
    page = render_label_config(SCHEME)
    for old, new in config.items():
        page = page.replace(old, new)
    with pytest.raises(BadInput, match=complaint):
        check_import(page, [hostile_task(**task)], SCHEME)


def test_no_two_choices_of_the_page_share_a_hotkey():
    root = ET.fromstring(render_label_config(SCHEME))
    keys = [choice.get("hotkey") for choice in root.iter("Choice")]
    keys += SCHEME.questions["speaker_name"].hotkeys
    assert None not in keys
    assert len(keys) == len(set(keys))
    assert "u" not in keys


class Visible(HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.tags = "", set()

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)


def shown(markup):
    parser = Visible()
    parser.feed(markup)
    return parser


@given(st.text())
def test_article_text_shows_as_itself(text):
    markup = escape(text)
    assert not re.search(r"[<>{}$\"']", markup)
    assert shown(f"<p>{markup.replace(chr(13), ' ')}</p>").text == text.replace("\r", " ")


HOSTILE = "Intro one. <script>alert(1)</script> {{evil}}\n<img src=x onerror=y> says he.\nLast."


def hostile_task(**changes):
    article = {
        "article_id": "a", "title": "T & T", "outlet": "The Post", "published": None, "text": HOSTILE, "sha256": "h",
    }  # fmt: skip
    start = HOSTILE.index("<img")
    end = HOSTILE.index("\nLast")
    row = {"task_id": "f00d", "sentence_id": f"a:{start}-{end}"}
    given_ = {"row": row, "article": article, "near": (11, len(HOSTILE)), "names": []}
    return import_task(Task(**(given_ | changes)), {"": TARGET}, SCHEME)


def test_a_task_holds_the_whole_article_in_three_escaped_parts():
    data = hostile_task(names=["Ann Lee", "Ann Lee", "Bo Ray"])["data"]
    parts = [shown(data[part]) for part in ("before", "sentence", "after")]
    assert set().union(*(part.tags for part in parts)) <= {"p", "span", "div"}
    assert "".join("".join(p.text for p in parts).split()) == "".join(HOSTILE.split())
    assert data["names"] == [
        {"value": "Ann Lee", "hotkey": "8"},
        {"value": "Bo Ray", "hotkey": "9"},
    ]
    assert 'class="near"' in data["before"]


def test_a_sentence_of_another_article_is_refused():
    with pytest.raises(BadInput, match="is not in article"):
        hostile_task(row={"task_id": "x", "sentence_id": "b:0-3"})


def test_near_spans_take_two_sentences_either_side():
    rows = [{"sentence_id": str(i), "start": 10 * i, "end": 10 * i + 9} for i in range(6)]
    assert near_spans(rows) == {
        "0": (0, 29), "1": (0, 39), "2": (0, 49), "3": (10, 59), "4": (20, 59), "5": (30, 59),
    }  # fmt: skip


def campaign_of_one(shown, **more):
    text = "One said. Two went."
    article = {
        "article_id": "a",
        "title": "",
        "outlet": "",
        "published": "",
        "text": text,
        "sha256": "h",
    }
    sentences = [
        {"article_id": "a", "sentence_id": f"a:{s}-{e}", "start": s, "end": e}
        for s, e in [(0, 9), (10, 19)]
    ]
    speakers = [
        {
            "sentence_id": "a:0-9",
            "speaker": "expert",
            "speaker_name": "Zoe",
            "candidates": ["Zoe", "Abe"],
        },
        {"sentence_id": "a:10-19", "speaker": "author", "speaker_name": None, "candidates": []},
    ]
    plan = [{"task_id": "k", "sentence_id": "a:0-9", "suggestion_shown": shown, "purpose": "check"}]
    found = tasks_of(
        plan, articles=[article], sentences=sentences, speakers=speakers, scheme=SCHEME, **more
    )
    return [import_task(task, {"": TARGET}, SCHEME) for task in found]


def test_a_suggestion_is_shown_as_a_prediction_and_its_name_first():
    (task,) = campaign_of_one(shown=True)
    assert [item["value"]["choices"] for item in task["predictions"][0]["result"]] == [
        ["expert"],
        ["Zoe"],
    ]
    assert [n["value"] for n in task["data"]["names"]] == ["Zoe", "Abe"]


def test_a_models_stance_is_suggested_beside_the_speaker_with_its_signature(tmp_path):
    path = tmp_path / "predictions.parquet"
    pq.write_table(pa.table({"id": ["a:0-9"], "predicted": ["favor"], "favor": [0.9]}), path)
    with pytest.raises(BadInput, match="run `onrecord predict` first"):
        read_model_labels(path, SCHEME, {"": TARGET})
    write_json(
        tmp_path / "predictions.json", {"run": "data 1a2b, split by_group", "question": "stance"}
    )
    (task,) = campaign_of_one(shown=True, model=read_model_labels(path, SCHEME, {"": TARGET}))
    (proposed,) = task["predictions"]
    assert proposed["model_version"] == "onrecord attribute + data 1a2b, split by_group"
    assert {r["from_name"]: r["value"]["choices"] for r in proposed["result"]} == {
        "speaker": ["expert"], "speaker_name": ["Zoe"], "stance": ["favor"],
    }  # fmt: skip
    (bare,) = campaign_of_one(shown=False, model=read_model_labels(path, SCHEME, {"": TARGET}))
    assert "predictions" not in bare
    pq.write_table(pa.table({"id": ["a:0-9"], "predicted": ["pro"]}), path)
    with pytest.raises(BadInput, match="'pro' is not in the scheme"):
        read_model_labels(path, SCHEME, {"": TARGET})
    write_json(tmp_path / "predictions.json", {"run": "x", "question": "label"})
    with pytest.raises(BadInput, match="found 'label'"):
        read_model_labels(path, SCHEME, {"": TARGET})


def test_predictions_toward_a_further_target_answer_its_question(tmp_path):
    labels = {"pro": {"hotkey": "1"}, "con": {"hotkey": "2"}}
    others = {"pro": {"hotkey": "3"}, "con": {"hotkey": "4"}}
    asked = {
        "one": {"ask": "?", "target": True, "labels": labels},
        "two": {"ask": "?", "target": "fees", "labels": others},
    }
    scheme = parse_scheme({"version": 1, "questions": asked}, "scheme")
    targets = {"": TARGET, "fees": {"name": "higher fees", "opposite": None}}
    path = tmp_path / "predictions.parquet"
    pq.write_table(pa.table({"id": ["a:0-9"], "predicted": ["con"]}), path)
    for target, question in (("higher fees", "two"), (TARGET["name"], "one")):
        about = {"run": "x", "question": "one", "target": target}
        write_json(tmp_path / "predictions.json", about)
        assert read_model_labels(path, scheme, targets).question == question


def test_the_control_arm_tells_nothing_not_even_by_the_order_of_names():
    (task,) = campaign_of_one(shown=False)
    assert "predictions" not in task
    assert [n["value"] for n in task["data"]["names"]] == ["Abe", "Zoe"]


def test_the_data_of_a_task_tell_nothing_of_its_purpose():
    (task,) = campaign_of_one(shown=True)
    assert "check" not in repr(task)
    assert set(task["data"]) == {
        "onrecord_id", "sentence_id", "text_sha256", "outlet", "headline", "published", "target",
        "opposite", "before", "sentence", "after", "names", "target_version", "content_sha256",
    }  # fmt: skip


def test_instructions_are_the_guidelines_with_the_target_filled_in():
    guidelines = (ROOT / "annotation" / "guidelines.md").read_text(encoding="utf-8")
    page = instructions(guidelines, {"": TARGET})
    assert "<strong>free buses</strong> (its opposite: fares)" in page
    assert "zero fare" in page
    assert "stated here by each campaign" not in page
    assert "<table>" in page
    assert "<!--" not in page
    with pytest.raises(BadInput, match="target"):
        fill_target("no block", {"": TARGET})


def test_suggestions_of_another_source_are_refused_since_label_studio_would_hide_them():
    tasks = [{"predictions": [{"model_version": "onrecord attribute + 1a2b"}]}]
    check_suggestions(SimpleNamespace(id=3, model_version=None), tasks)
    check_suggestions(SimpleNamespace(id=3, model_version="onrecord attribute + 1a2b"), tasks)
    with pytest.raises(BadInput, match="project 3 shows the suggestions of 'onrecord attribute'"):
        check_suggestions(SimpleNamespace(id=3, model_version="onrecord attribute"), tasks)
