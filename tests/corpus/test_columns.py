"""Arrow columns: the same as pyarrow makes of the same values, null where pyarrow has null."""

import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.corpus.columns import table, values

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
        },
    ),
    max_size=20,
)


@given(rows)
def test_a_table_is_what_pyarrow_makes_of_the_rows(rows):
    made = table(rows, SCHEMA)
    made.validate(full=True)
    assert made.equals(pa.Table.from_pylist(rows, SCHEMA))
    parts = pa.concat_tables([made, made.slice(1), made.slice(2, 1)])
    for column in parts.columns:
        assert values(column) == column.to_pylist()


def test_more_than_a_column_holds_is_refused():
    with pytest.raises(OverflowError, match="less than 2 GB"):
        table([{"n": range(1 << 30)}] * 2, pa.schema({"n": pa.list_(pa.int64())}))


def test_a_table_does_not_import_pandas():
    code = (
        "import sys, pyarrow as pa; from onrecord.corpus.columns import table;"
        "table([{'a': 'b'}], pa.schema({'a': pa.string()})); assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
