"""Files between stages: what is written comes back, what is broken is refused, secrets stay private."""

import re

import pytest

from onrecord.core.errors import BadInput
from onrecord.core.files import atomic, read_jsonl, read_object, require, write_jsonl, write_text
from onrecord.core.records import GoldRow

GOLD = {
    "sentence_id": "a:0-3", "target_id": "t", "labels": {"stance": "favor"}, "soft": {"stance": {"favor": 1}},
    "decided_by": {"stance": "unanimous"}, "n_annotators": 3,
}  # fmt: skip


def test_rows_come_back_as_written(tmp_path):
    write_jsonl(tmp_path / "gold.jsonl", [GOLD, GOLD | {"labels": {"stance": None}}])
    assert read_jsonl(tmp_path / "gold.jsonl", GoldRow)[1]["labels"] == {"stance": None}


@pytest.mark.parametrize("key", sorted(GOLD))
def test_a_row_without_a_key_is_refused(tmp_path, key):
    write_jsonl(tmp_path / "gold.jsonl", [GOLD, {k: v for k, v in GOLD.items() if k != key}])
    with pytest.raises(BadInput, match=f"line 2: object missing required field `{key}`"):
        read_jsonl(tmp_path / "gold.jsonl", GoldRow)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"n_annotators": True}, "expected `int`, got `bool` - at `$.n_annotators`"),
        ({"soft": {"stance": {"favor": "1"}}}, "expected `float`, got `str` - at `$.soft"),
        ({"labels": []}, "expected `object`, got `array` - at `$.labels`"),
    ],
)
def test_a_value_of_another_type_is_refused(tmp_path, change, found):
    write_jsonl(tmp_path / "gold.jsonl", [GOLD | change])
    with pytest.raises(BadInput, match=re.escape(found)):
        read_jsonl(tmp_path / "gold.jsonl", GoldRow)


def test_a_key_that_the_type_does_not_name_is_kept(tmp_path):
    write_jsonl(tmp_path / "gold.jsonl", [GOLD | {"note": "mine"}])
    assert read_jsonl(tmp_path / "gold.jsonl", GoldRow) == [GOLD | {"note": "mine"}]


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": Infinity}', '{"a": 1e400}'])
def test_what_json_does_not_have_is_refused(tmp_path, text):
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(BadInput, match="line 1: expected a JSON object"):
        read_jsonl(tmp_path / "x.jsonl")


def test_a_half_written_line_is_named(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n{"a"')
    with pytest.raises(BadInput, match="line 2"):
        read_jsonl(tmp_path / "x.jsonl")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), atomic(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_secret_is_never_readable_by_others(tmp_path):
    write_text(tmp_path / "token", "secret", mode=0o600)
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["{}", "[]", "3", '{"run": 1}'])
def test_an_object_without_its_keys_names_what_makes_it(tmp_path, text):
    (tmp_path / "predictions.json").write_text(text)
    with pytest.raises(
        BadInput, match="expected the key 'question', found none: run `onrecord predict` again"
    ):
        read_object(tmp_path / "predictions.json", ["question", "run"], "predict")


def test_a_missing_step_names_the_verb_to_run(tmp_path):
    with pytest.raises(BadInput, match="run `onrecord segment` first"):
        require(tmp_path / "sentences.parquet", "segment")
