"""One reader of people's tables: the same columns from every format, and the line of what is broken."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onrecord.core.errors import BadInput
from onrecord.core.table_reader import read_table

COLUMNS = {"id": ["1", "2"], "text": ["One,\n“two”.", None]}


def written(folder, name, content):
    path = folder / name
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("t.csv", 'id,text\n1,"One,\n“two”."\n2,\n', id="csv"),
        pytest.param("t.csv", '\ufeff"id",text\r\n"1","One,\n“two”."\r\n\r\n2,""\r\n', id="csv of a spreadsheet"),
        pytest.param("t.jsonl", '{"id": "1", "text": "One,\\n“two”."}\n\n{"id": "2"}\n', id="jsonl"),
        pytest.param("t.jsonl.gz", '\ufeff{"id": "1", "text": "One,\\n“two”."}\n{"id": "2"}', id="jsonl.gz"),
    ],
)  # fmt: skip
def test_every_format_gives_the_same_columns(tmp_path, name, content):
    assert read_table(written(tmp_path, name, content)).to_pydict() == COLUMNS


def test_parquet_is_read_as_it_is(tmp_path):
    pq.write_table(pa.table(COLUMNS), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet", ["id"]).to_pydict() == COLUMNS


def test_text_stays_text_and_a_column_of_several_types_becomes_text(tmp_path):
    rows = '{"day": "2026-01-14", "x": 1, "votes": ["a"]}\n{"day": "2026-01-15", "x": "b", "votes": "a|b"}'
    table = read_table(written(tmp_path, "t.jsonl", rows))
    assert table["day"].to_pylist() == ["2026-01-14", "2026-01-15"]
    assert table["x"].to_pylist() == ["1", "b"]
    assert table["votes"].to_pylist() == ['["a"]', "a|b"]
    table = read_table(written(tmp_path, "t.csv", "label,day\nNone,2026-01-14\n007,1\n"))
    assert table.to_pydict() == {"label": ["None", "007"], "day": ["2026-01-14", "1"]}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        pytest.param("t.csv", "id,text\n1,a\n2\n", "t.csv, line 3: expected 2 fields, found 1", id="short row"),
        pytest.param("t.csv", 'id,text\n1,"a\nb"\n2,b,c\n', "line 4: expected 2 fields, found 3", id="long row"),
        pytest.param("t.csv", 'id,text\n1,"a\n2,b\n', "line 3: unexpected end of data", id="open quote"),
        pytest.param("t.csv", 'id,text\n1,"a "b" c"\n', "line 2: ',' expected after", id="quote in a field"),
        pytest.param("t.csv", b"id,text\n1,\xff\n", "in UTF-8, found .*row #2", id="no UTF-8"),
        pytest.param("t.csv", "", "found empty csv", id="empty"),
        pytest.param("t.csv", "id,id\n1,2\n", "two columns are named 'id'", id="two of a name"),
        pytest.param("t.csv", "id\n1\n", "found no 'text' among id", id="column missing"),
        pytest.param("t.jsonl", '{"id": 1}\n{"id": \n', "t.jsonl, line 2: expected a JSON object", id="no JSON"),
        pytest.param("t.jsonl", '{"id": 1}\n[1]\n', "line 2: expected a JSON object, found list", id="no object"),
        pytest.param("t.jsonl", '{"id": 1}\n{"id": NaN}', "line 2: expected a JSON object", id="NaN"),
        pytest.param("t.jsonl", b'{"id": "\xff"}\n', "expected .* in UTF-8", id="jsonl of no UTF-8"),
        pytest.param("t.parquet", "id\n1\n", "expected a Parquet table", id="no parquet"),
        pytest.param("t.xlsx", "id\n1\n", "expected a table as csv, jsonl", id="another format"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_refused_with_its_line(tmp_path, name, content, complaint):
    with pytest.raises(BadInput, match=f"(?i){complaint}"):
        read_table(written(tmp_path, name, content), ["id", "text"])


def test_a_file_cut_short_or_missing_is_refused(tmp_path):
    path = written(tmp_path, "t.jsonl.gz", '{"id": "1"}\n' * 100)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BadInput, match="in UTF-8, found"):
        read_table(path)
    with pytest.raises(BadInput, match="no such file"):
        read_table(tmp_path / "absent.csv")
