"""Python values to Arrow columns, without the import of pandas that ``pa.array`` brings: a second of each verb."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa


def table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table of ``schema``; what a row lacks is null.

    Columns may be of strings, numbers, lists and structs of them. Raises OverflowError for a column with
    2 GB of text or more, or as many items.

    >>> table([{"id": "a", "n": 1}, {"id": "b"}], pa.schema({"id": pa.string(), "n": pa.int32()})).to_pylist()
    [{'id': 'a', 'n': 1}, {'id': 'b', 'n': None}]
    """
    columns = [array(_values(rows, field.name), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _values(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), rows))
    except KeyError:
        return [row.get(name) for row in rows]


def array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return values of one type, None among them, as an array."""
    size, valid = len(values), None
    if None in values:
        there = np.array([value is not None for value in values])
        valid = pa.py_buffer(np.packbits(there, bitorder="little"))
    if pa.types.is_string(kind):
        said = ["" if value is None else value for value in values] if valid else values
        whole = "".join(said)
        if not whole.isascii():
            said = [value.encode() for value in said]
        return pa.Array.from_buffers(
            kind, size, [valid, _offsets(said), pa.py_buffer(whole.encode())]
        )
    if pa.types.is_list(kind):
        listed = [value or () for value in values]
        offsets = _offsets(listed)
        items = array(list(chain.from_iterable(listed)), kind.value_type)
        return pa.Array.from_buffers(kind, size, [valid, offsets], children=[items])
    if pa.types.is_struct(kind):
        fields = [
            array([value and value.get(field.name) for value in values], field.type)
            for field in kind.fields
        ]
        return pa.Array.from_buffers(kind, size, [valid], children=fields)
    known = [0 if value is None else value for value in values] if valid else values
    numbers = np.array(known, dtype=kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, size, [valid, pa.py_buffer(numbers)])


def _offsets(values: Iterable[Any]) -> pa.Buffer:
    ends = list(accumulate(map(len, values), initial=0))
    if ends[-1] >= 1 << 31:
        raise OverflowError(f"expected a column of less than 2 GB, found {ends[-1]} bytes or items")
    return pa.py_buffer(np.array(ends, dtype=np.int32))
