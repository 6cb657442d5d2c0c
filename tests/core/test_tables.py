"""Tables: the same rows give the same bytes."""

from onrecord.core.records import SPEAKERS
from onrecord.core.tables import read_parquet, write_parquet


def test_the_same_rows_give_the_same_bytes(tmp_path):
    rows = [{"sentence_id": "a:0-3", "speaker": "author", "candidates": ["A B"], "confidence": 0.5}]
    for name in "ab":
        write_parquet(tmp_path / name, rows, SPEAKERS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_parquet(tmp_path / "a", SPEAKERS)["cue"].to_pylist() == [None]
