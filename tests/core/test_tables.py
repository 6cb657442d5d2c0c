"""Tables: the same rows give the same bytes, from rows to columns and back, in one file or several."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.core.errors import BadInput
from onrecord.core.records import SPEAKERS
from onrecord.core.tables import (
    read_parquet,
    read_values,
    row_ranges,
    table_from_rows,
    write_parquet,
    write_row_groups,
)

words = st.none() | st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
spans = st.fixed_dictionaries({"start": st.integers(0, 99), "kind": words})
SCHEMA = pa.schema(
    [
        ("said", pa.string()),
        ("at", pa.int64()),
        ("index", pa.int32()),
        ("sure", pa.float64()),
        ("names", pa.list_(pa.string())),
        ("marks", pa.list_(pa.struct([("start", pa.int64()), ("kind", pa.string())]))),
    ]
)
rows = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "said": words,
            "at": st.none() | st.integers(-(2**62), 2**62),
            "index": st.integers(-9, 9),
            "sure": st.none() | st.floats(0, 1),
            "names": st.none() | st.lists(words, max_size=3),
            "marks": st.none() | st.lists(spans, max_size=3),
            "left out": words,
        },
    ),
    max_size=20,
)


def test_the_same_rows_give_the_same_bytes(tmp_path):
    rows = [{"sentence_id": "a:0-3", "speaker": "author", "candidates": ["A B"], "confidence": 0.5}]
    for name in "ab":
        write_parquet(tmp_path / name, rows, SPEAKERS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_parquet(tmp_path / "a", SPEAKERS)["cue"].to_pylist() == [None]


@given(rows)
def test_a_table_is_what_pyarrow_makes_of_the_rows(rows):
    made = table_from_rows(rows, SCHEMA)
    made.validate(full=True)
    assert made.equals(pa.Table.from_pylist(rows, SCHEMA))


def test_a_table_does_not_import_pandas():
    code = (
        "import sys, pyarrow as pa; from onrecord.core.tables import table_from_rows;"
        "table_from_rows([{'a': 'b'}], pa.schema({'a': pa.string()})); assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=5), min_size=1, max_size=3), st.integers(1, 7))
def test_row_ranges_cover_a_table_in_order(tmp_path_factory, files, size):
    path = tmp_path_factory.mktemp("t") / "t.parquet"
    path.mkdir()
    schema = pa.schema([("n", pa.int64())])
    for number, groups in enumerate(files):
        tables = [
            pa.table({"n": [*range(10 * i, 10 * i + n)]}, schema) for i, n in enumerate(groups)
        ]
        write_row_groups(path / f"{number}.parquet", tables, schema)
    ranges = row_ranges(path, size)
    assert all(0 < last - first <= size for _, first, last in ranges)
    read = [n for each in ranges for (n,) in read_values(each, ["n"])]
    assert read == pq.read_table(path)["n"].to_pylist() == read_parquet(path)["n"].to_pylist()


def test_a_row_group_that_fails_leaves_what_was_there(tmp_path):
    def broken():
        yield table_from_rows([{"sentence_id": "a"}], SPEAKERS)
        raise BadInput("stop")

    (tmp_path / "t").write_text("old")
    with pytest.raises(BadInput):
        write_row_groups(tmp_path / "t", broken(), SPEAKERS)
    assert (tmp_path / "t").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["t"]


def test_a_missing_column_and_a_folder_without_a_table_are_refused(tmp_path):
    write_parquet(tmp_path / "a.parquet", pa.table({"n": [1]}), pa.schema([("n", pa.int64())]))
    with pytest.raises(BadInput, match="expected the column 'sentence_id', found n"):
        read_parquet(tmp_path / "a.parquet", SPEAKERS)
    (tmp_path / "b.parquet").mkdir()
    with pytest.raises(BadInput, match="a folder without one"):
        read_parquet(tmp_path / "b.parquet", SPEAKERS)
