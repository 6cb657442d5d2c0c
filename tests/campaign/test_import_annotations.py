"""Annotations from a real Label Studio export, or a long table, are the same rows as collected ones."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import httpx
import pytest

from onrecord.campaign import import_annotations
from onrecord.campaign.backend import Answers, PullRequest
from onrecord.campaign.labelstudio import accounts, client
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.cli import app
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl
from onrecord.core.records import text_sha256
from onrecord.scheme.scheme import load_scheme

SCHEME = load_scheme()
LABELS = {"speaker": "expert", "speaker_name": "Ana Lee", "claim_type": "fact", "stance": "none"}
SENTENCES = import_annotations.Sentences(
    [
        {"sentence_id": "a:0-4", "text": "One."},
        {"sentence_id": "a:5-9", "text": "Two."},
        {"sentence_id": "b:0-4", "text": "One."},
    ],
    [{"task_id": "k1", "sentence_id": "a:0-4"}],
)


def run(*words):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = app.main(words)
    return status, out.getvalue() + err.getvalue()


def test_an_export_gives_the_rows_that_collecting_gives(
    labelstudio, team_server, campaign_workspace, tmp_path
):
    words = campaign_workspace("exported")
    assert run("launch", *words, team_server)[0] == 0
    first, second, *_ = read_jsonl(words.workspace / "launched.jsonl")
    kept = accounts.kept_accounts(
        words.workspace / "labelstudio" / "accounts.json", labelstudio.url
    )
    with client.LabelStudio(labelstudio.url, kept[first["annotator"]]["token"]) as own:
        path = f"/api/tasks/{first['ls_task_id']}/annotations/"
        result = to_result(LABELS, SCHEME, flags=["needs_context"], comment="why")
        own.send("POST", path, {"result": result, "lead_time": 3.5})
        path = f"/api/tasks/{second['ls_task_id']}/annotations/"
        own.send("POST", path, {"result": [], "was_cancelled": True})
        export = own.get(f"/api/projects/{first['project_id']}/export", exportType="JSON")
        at = f"{labelstudio.url}/api/projects/{first['project_id']}/export"
        token = {"Authorization": f"Token {kept[first['annotator']]['token']}"}
        exports = {
            kind: httpx.get(at, params={"exportType": kind}, headers=token, timeout=60).content
            for kind in ("JSON_MIN", "CSV")
        }
    assert run("collect", *words, team_server)[0] == 0
    collected = read_jsonl(words.workspace / "annotations.jsonl")

    other = campaign_workspace("exported-elsewhere")
    file = tmp_path / "export, of today.json"
    file.write_text(json.dumps(export))
    names = f"names={tmp_path / 'who.csv'}"
    (tmp_path / "who.csv").write_text(f"email,annotator\n{first['user_id']},annotator-1\n")
    for _ in range(2):
        status, said = run("collect", *other, f"from={file}", names)
        assert status == 0, said
    rows = read_jsonl(other.workspace / "annotations.jsonl")
    for row, twin in zip(rows, collected, strict=True):
        for key in ("annotation_id", "sentence_id", "annotator", "labels", "flags", "comment",
                    "seconds", "status", "text_sha256", "created_at", "speaker_span"):  # fmt: skip
            assert row[key] == twin[key], key
    for kind, name in (("JSON_MIN", "min.json"), ("CSV", "flat.csv")):  # without the skipped ones
        (tmp_path / name).write_bytes(exports[kind])
        flat = campaign_workspace(f"exported-{kind.lower().replace('_', '-')}")
        status, said = run("collect", *flat, f"from={tmp_path / name}", names)
        assert status == 0, said
        (row,) = read_jsonl(flat.workspace / "annotations.jsonl")
        assert row == rows[0]
    before = (other.workspace / "annotations.jsonl").read_bytes()
    export[0]["annotations"][0]["result"][0]["value"]["choices"] = ["rumour"]
    file.write_text(json.dumps(export))
    status, said = run("collect", *other, f"from={file}", names)
    assert status == 2
    assert "'rumour' is not in the scheme" in said
    assert (other.workspace / "annotations.jsonl").read_bytes() == before


@pytest.mark.parametrize("version", ["1.8.2.post1", "1.13.1"])
def test_exports_of_older_servers_are_read(version):
    """Each was exported by that version: three tasks of our own, annotated, corrected and skipped through its API."""
    path = Path(__file__).parents[1] / "exports" / f"label-studio-{version}.json"
    text = "Buses are free, Ana Lee said. Riders like it.\nNobody counted. The end."
    spans = [(0, 29), (30, 45), (46, 61), (62, 70)]
    rows = [{"sentence_id": f"a:{start}-{end}", "text": text[start:end]} for start, end in spans]
    source = import_annotations.AnnotationFile(path, "labelstudio", rows, [], {"1": "annotator-1"})
    (pulled,) = source.pull(PullRequest([], [], lambda _: SCHEME, {}))
    found = [one for task in pulled.tasks for one in task.annotations]
    assert {task.annotator for task in pulled.tasks} == {"annotator-1"}
    assert [(task.sentence_id, one.status, one.seconds) for task, one in zip(pulled.tasks, found, strict=True)] == [
        ("a:0-29", "submitted", 4.25), ("a:30-45", "submitted", 9.5), ("a:46-61", "skipped", None),
    ]  # fmt: skip
    assert found[0].answers == Answers(
        {**LABELS, "claim_type": "policy", "stance": "favor"}, ["needs_context"], "a <b>word</b>"
    )
    assert found[1].answers.labels == {
        "speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none",
    }  # fmt: skip
    assert found[1].created_at < found[1].updated_at
    assert [one.text_sha256 for one in found] == [text_sha256(r["text"]) for r in rows[:3]]


def exported(data, **annotation):
    raw = {
        "result": to_result(LABELS, SCHEME),
        "completed_by": 4,
        "created_at": "2024-01-01T00:00:00Z",
    }
    return json.dumps([{"id": 1, "data": data, "annotations": [{**raw, **annotation}]}])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param({"onrecord_id": "k1", "sentence": "<p>One.</p>"}, "a:0-4", id="our key"),
        pytest.param({"sentence_id": "b:0-4", "text": "One."}, "b:0-4", id="its id"),
        pytest.param({"text": "Two."}, "a:5-9", id="its text"),
    ],
)
def test_a_sentence_is_found_by_key_id_or_text(tmp_path, data, found):
    (tmp_path / "x.json").write_text(exported(data))
    (one,) = import_annotations.read_export(
        tmp_path / "x.json", "labelstudio", SENTENCES, SCHEME, {"4": "ann"}
    )
    assert (one.sentence_id, one.annotator, one.annotation.answers.labels) == (found, "ann", LABELS)


def test_the_shape_before_version_1_is_read(tmp_path):
    old = json.loads(exported({"text": "Two."}))
    old[0]["completions"] = old[0].pop("annotations")
    del old[0]["completions"][0]["completed_by"]
    (tmp_path / "x.json").write_text(json.dumps(old))
    (one,) = import_annotations.read_export(
        tmp_path / "x.json", "labelstudio", SENTENCES, SCHEME, {}
    )
    assert one.annotator == "user-None"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("nonsense", "expected JSON", id="no JSON"),
        pytest.param("{}", "list of tasks", id="no list"),
        pytest.param(
            '[{"speaker": "author", "annotator": 1}]',
            "JSON_MIN, CSV.*found speaker, annotator",
            id="no export",
        ),
        pytest.param(exported({"text": "Three."}), "text of 0 sentences", id="unknown text"),
        pytest.param(exported({"text": "One."}), "text of 2 sentences", id="text of two"),
        pytest.param(exported({"sentence_id": "c:0-1"}), "no sentence 'c:0-1'", id="unknown id"),
    ],
)
def test_an_export_that_cannot_be_used_is_refused(tmp_path, text, complaint):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BadInput, match=complaint):
        list(
            import_annotations.read_export(
                tmp_path / "x.json", "labelstudio", SENTENCES, SCHEME, {}
            )
        )


TABLE = """sentence_id,annotator,question,label,seconds,flags,created_at
a:0-4,ann,speaker,expert,2.5,needs_context,2024-01-01T00:00:00Z
a:0-4,ann,speaker_name,Ana Lee,,,
a:0-4,ann,claim_type,fact,,,
a:0-4,ann,stance,none,,,
a:5-9,ann,stance,favor,,,
"""


def test_a_long_table_is_read_an_annotation_from_its_answers(tmp_path):
    (tmp_path / "x.csv").write_text(TABLE)
    first, second = import_annotations.read_answers(tmp_path / "x.csv", SENTENCES, SCHEME)
    assert (first.annotation.answers.labels, first.annotation.seconds) == (LABELS, 2.5)
    assert first.annotation.answers.flags == ["needs_context"]
    assert second.annotation.answers.labels == dict.fromkeys(SCHEME.questions) | {"stance": "favor"}


def test_who_is_who_is_a_table_of_two_columns(tmp_path):
    path = tmp_path / "who.csv"
    path.write_text("annotator,email,password\nannotator-1,a@x.org,secret\n")
    assert import_annotations.read_names(path) == {"a@x.org": "annotator-1"}
    path.write_text("who,email\n1,a@x.org\n")
    with pytest.raises(BadInput, match="found no 'annotator' among who, email"):
        import_annotations.read_names(path)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param("annotator,", "who,", "found no 'annotator'", id="no column"),
        pytest.param("a:5-9", "z:0-1", "row 5: there is no sentence", id="unknown sentence"),
        pytest.param("favor", "pro", "row 5: stance 'pro' is not in the scheme", id="label"),
        pytest.param("a:5-9", "a:0-4", "row 5: ann answers stance of a:0-4 twice", id="twice"),
        pytest.param("2.5", "long", "expected seconds", id="seconds"),
        pytest.param("needs_context", "odd", "flag 'odd'", id="flag"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, old, new, complaint):
    (tmp_path / "x.csv").write_text(TABLE.replace(old, new))
    with pytest.raises(BadInput, match=complaint):
        list(import_annotations.read_answers(tmp_path / "x.csv", SENTENCES, SCHEME))


def test_a_table_without_times_collected_twice_is_nothing_new(campaign_workspace, tmp_path):
    words = campaign_workspace("tabled")
    first = read_jsonl(words.workspace / "plan.jsonl")[0]
    table = tmp_path / "answers.csv"
    table.write_text(
        "sentence_id,annotator,question,label\n"
        f"{first['sentence_id']},{first['annotator']},stance,favor\n"
    )
    for added in (1, 0):
        status, said = run("collect", *words, f"from={table}", "format=csv")
        assert (status, f"{added} new lines" in said) == (0, True), said
    (row,) = read_jsonl(words.workspace / "annotations.jsonl")
    assert row["annotation_id"] == first["task_id"]
    table.write_text(table.read_text().replace("favor", "against"))
    assert "1 new lines" in run("collect", *words, f"from={table}", "format=csv")[1]
    status, said = run("collect", *words, f"from={table}", "format=xlsx")
    assert status == 2
    assert "expected one of csv, labelstudio, potato, doccano, prodigy, argilla" in said


TEXT = "Buses are free, Ana Lee said. Riders like it.\nNobody counted. The end."
ROWS = [
    {"sentence_id": f"a:{start}-{end}", "text": TEXT[start:end]}
    for start, end in [(0, 29), (30, 45), (46, 61), (62, 70)]
]
EXPORTS = Path(__file__).parents[1] / "exports"
WHOLE = {**LABELS, "claim_type": "policy", "stance": "favor"}
AUTHOR = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}


def imported(kind, path, question=None):
    source = import_annotations.AnnotationFile(path, kind, ROWS, [], {}, question)
    (pulled,) = source.pull(PullRequest([], [], lambda _: SCHEME, {}))
    return [
        (t.annotator, t.sentence_id, t.annotations[0].answers.labels, t.annotations[0].status)
        for t in pulled.tasks
    ]


UUID_A, UUID_B = (f"user-0b6e3a52-0000-4000-8000-00000000000{end}" for end in "ab")
NONE = dict.fromkeys(SCHEME.questions)


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("labelstudio", "label-studio-json-min.json",
         [("user-1", "a:0-29", WHOLE, "submitted"), ("user-1", "a:30-45", AUTHOR, "submitted")]),
        ("labelstudio", "label-studio.csv",
         [("user-1", "a:0-29", WHOLE, "submitted"), ("user-1", "a:30-45", AUTHOR, "submitted")]),
        ("potato", "potato.jsonl",
         [("ada", "a:0-29", WHOLE, "submitted"), ("ada", "a:30-45", AUTHOR, "submitted"),
          ("ben", "a:0-29", {**WHOLE, "stance": "neutral"}, "submitted")]),
        ("potato", "potato-1", [("ada", "a:0-29", WHOLE, "submitted")]),
        ("doccano", "doccano",
         [("ada", "a:0-29", {"stance": "favor"}, "submitted"), ("ada", "a:30-45", {"stance": "none"}, "submitted"),
          ("ben", "a:0-29", {"stance": "neutral"}, "submitted"), ("ben", "a:30-45", {"stance": "none"}, "submitted")]),
        ("prodigy", "prodigy.jsonl",
         [("stances-ada", "a:0-29", {"stance": "favor"}, "submitted"),
          ("stances-ada", "a:30-45", {"stance": None}, "skipped"),
          ("stances-ben", "a:30-45", {"stance": "favor"}, "submitted")]),
        ("argilla", "argilla.json",
         [(UUID_A, "a:0-29", NONE | {"stance": "favor", "claim_type": "policy"}, "submitted"),
          (UUID_B, "a:0-29", NONE | {"stance": "neutral"}, "submitted")]),
        ("argilla", "argilla-flat.jsonl",
         [("user-a", "a:0-29", NONE | {"stance": "favor"}, "submitted"),
          ("user-b", "a:0-29", NONE | {"stance": "none"}, "skipped")]),
    ],
)  # fmt: skip
def test_exports_of_other_tools_are_read(kind, name, expected):
    assert imported(kind, EXPORTS / name) == expected


@pytest.mark.parametrize(
    ("kind", "name", "content", "complaint"),
    [
        ("potato", "p.jsonl", {"instance_id": "a:0-29", "user_id": "x", "labels": {}, "spans": {"s": [1]}}, "found spans"),
        ("potato", "p.jsonl", {"instance_id": "a:0-29", "user_id": "x", "labels": {"stance": {"pro": True}}}, "'pro' is not in the scheme"),
        ("potato", "p.jsonl", {"instance_id": "a:0-29", "user_id": "x", "labels": {"mood": {"sad": True}}}, "'mood' is not in the scheme"),
        ("potato", "p.jsonl", {"instance_id": "a:0-29", "user_id": "x", "labels": {"stance": {"favor": True, "none": True}}}, "stance has 2 answers"),
        ("potato", "p.jsonl", {"instance_id": "a:0-29", "user_id": "x", "labels": {}, "annotator_origin": {"kind": "llm"}}, "not by a person"),
        ("potato", "p.jsonl", {"instance_id": "z:0-29", "user_id": "x", "labels": {}}, "no sentence 'z:0-29'"),
        ("potato", "p.jsonl", {"text": "x"}, "expected `instance_id`, `user_id` and `labels`, found text"),
        ("doccano", "all.jsonl", {"text": "Riders like it.", "label": ["favor"]}, "does not say who annotated"),
        ("doccano", "x.jsonl", {"text": "Riders like it.", "label": [[0, 5, "favor"]]}, r"expected labels, found \[0, 5"),
        ("doccano", "x.jsonl", {"text": "Riders like it.", "label": ["none"]}, "expected question="),
        ("doccano", "x.jsonl", {"text": "Riders like it.", "label": ["yes"]}, r"\(yes\) answer no question"),
        ("doccano", "x.jsonl", {"text": "Riders like it.", "label": ["favor", "against"]}, "stance has 2 answers"),
        ("doccano", "x.jsonl", {"data": "Riders like it."}, "expected `text` and `label`, found data"),
        ("prodigy", "x.jsonl", {"text": "Riders like it.", "label": "favor", "answer": "reject", "_session_id": "s"}, "answer=reject"),
        ("prodigy", "x.jsonl", {"text": "Riders like it.", "spans": [], "answer": "accept", "_session_id": "s"}, "expected an accepted label"),
        ("prodigy", "x.jsonl", {"text": "Riders like it.", "accept": ["favor"], "answer": "accept"}, "_session_id"),
        ("argilla", "x.json", [{"fields": {"text": "Riders like it."}}], "expected `responses`"),
        ("argilla", "x.json", [{"fields": {"text": "Riders like it."}, "responses": {"stance": [{"value": {"start": 1}, "user_id": "u"}]}}], "expected labels, found"),
        ("argilla", "x.json", {"fields": {}}, "expected a list of tasks, found dict"),
        ("labelstudio", "x.csv", "id,text\n1,Riders like it.\n", "found id, text"),
    ],
)  # fmt: skip
def test_what_is_not_understood_of_an_export_is_refused_by_name(
    tmp_path, kind, name, content, complaint
):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(BadInput, match=complaint) as refused:
        imported(kind, path)
    assert str(path) in str(refused.value) or "stance" in str(refused.value)


def test_a_file_of_one_question_adds_to_the_answers_of_another(campaign_workspace, tmp_path):
    words = campaign_workspace("two-files")
    first = read_jsonl(words.workspace / "plan.jsonl")[0]
    for question, label in (("stance", "none"), ("claim_type", "none")):
        path = tmp_path / question / f"{first['annotator']}.jsonl"
        path.parent.mkdir()
        path.write_text(
            json.dumps({"id": 1, "text": "", "sentence_id": first["sentence_id"], "label": [label]})
        )
        done = run("collect", *words, f"from={path}", "format=doccano", f"question={question}")
        assert done[0] == 0, done
    before, row = read_jsonl(words.workspace / "annotations.jsonl")
    assert before["annotation_id"] == row["annotation_id"] == first["task_id"]
    assert (row["labels"]["stance"], row["labels"]["claim_type"]) == ("none", "none")


@pytest.mark.parametrize(
    ("kind", "name", "question", "pairable"),
    [
        ("labelstudio", "label-studio-1.13.1.json", None, 0), ("labelstudio", "label-studio.csv", "stance", 0),
        ("potato", "potato.jsonl", None, 1), ("doccano", "doccano", None, 2), ("prodigy", "prodigy.jsonl", None, 0),
        ("argilla", "argilla.json", "stance", 1), ("argilla", "argilla-flat.jsonl", None, 0),
    ],
)  # fmt: skip
def test_agreement_is_measured_on_an_export(tmp_path, kind, name, question, pairable):
    words = [
        f"workspace={tmp_path}",
        f"annotations={EXPORTS / name}",
        f"format={kind}",
        "replicates=10",
    ]
    status, said = run("agree", *words, *([f"question={question}"] if question else []))
    assert status == 0, said
    questions = json.loads((tmp_path / "agreement.json").read_text())["questions"]
    assert max(q["n_pairable"] for q in questions.values()) == pairable, questions
