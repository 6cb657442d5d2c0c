"""Python values to Arrow columns and back.

``pa.array`` imports pandas, a second of each verb; ``to_pylist`` makes an object of every value first.
"""

from array import array as packed
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
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


def table_of(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Return rows whose values stand in the order of the schema's columns as a table, like :func:`table`.

    >>> table_of([("a", 1)], pa.schema({"id": pa.string(), "n": pa.int32()})).to_pylist()
    [{'id': 'a', 'n': 1}]
    """
    values: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(schema)
    columns = [array(some, field.type) for some, field in zip(values, schema, strict=True)]
    return pa.Table.from_arrays(columns, schema=schema)


def _values(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), rows))
    except KeyError:
        return [row.get(name) for row in rows]


def array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return values of one type, None among them, as an array."""
    try:
        return _filled(values, kind, None)
    except TypeError:  # None has no length and is no number: looked for only where it is met
        there = np.fromiter((value is not None for value in values), np.bool_, len(values))
        valid = pa.py_buffer(np.packbits(there, bitorder="little"))
        if pa.types.is_struct(kind):
            return _filled(values, kind, valid)
        empty = "" if pa.types.is_string(kind) else () if pa.types.is_list(kind) else 0
        return _filled([empty if value is None else value for value in values], kind, valid)


def _filled(values: Sequence[Any], kind: pa.DataType, valid: pa.Buffer | None) -> pa.Array:
    """Return values as an array; raises TypeError for a None that ``valid`` does not tell of."""
    size = len(values)
    if pa.types.is_string(kind):
        whole = "".join(values)
        said = values if whole.isascii() else [value.encode() for value in values]
        return pa.Array.from_buffers(
            kind, size, [valid, _offsets(said), pa.py_buffer(whole.encode())]
        )
    if pa.types.is_list(kind):
        offsets = _offsets(values)
        items = array(list(chain.from_iterable(values)), kind.value_type)
        return pa.Array.from_buffers(kind, size, [valid, offsets], children=[items])
    if pa.types.is_struct(kind):
        if valid is None and None in values:
            raise TypeError
        fields = [
            array([value and value.get(field.name) for value in values], field.type)
            for field in kind.fields
        ]
        return pa.Array.from_buffers(kind, size, [valid], children=fields)
    numbers = packed(np.dtype(kind.to_pandas_dtype()).char, values)
    return pa.Array.from_buffers(kind, size, [valid, pa.py_buffer(numbers)])


def _offsets(values: Collection[Any]) -> pa.Buffer:
    ends: npt.NDArray[np.int64] = np.zeros(len(values) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, values), np.int64, len(values)), out=ends[1:])
    if ends[-1] >= 1 << 31:
        raise OverflowError(f"expected a column of less than 2 GB, found {ends[-1]} bytes or items")
    return pa.py_buffer(ends.astype(np.int32))


def values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values, as ``to_pylist`` does; strings and numbers in a fraction of its time.

    >>> values(pa.table({"said": ["a", None, "bc"]})["said"])
    ['a', None, 'bc']
    """
    return [value for chunk in column.chunks for value in _unpacked(chunk)]


def _unpacked(some: pa.Array) -> list[Any]:
    kind, begin, end = some.type, some.offset, some.offset + len(some)
    if not len(some):
        return []
    if pa.types.is_string(kind):
        found = _strings(some)
    elif pa.types.is_integer(kind) or pa.types.is_float64(kind):
        found = np.frombuffer(some.buffers()[1], kind.to_pandas_dtype())[begin:end].tolist()
    else:
        return list(some.to_pylist())
    if not some.null_count:
        return found
    bits = np.unpackbits(np.frombuffer(some.buffers()[0], np.uint8), bitorder="little")
    there = bits[begin:end].tolist()
    return [value if known else None for value, known in zip(found, there, strict=True)]


def _strings(some: pa.Array) -> list[str]:
    """Return the strings of an array, a null one empty."""
    _, ends, letters = some.buffers()
    places = np.frombuffer(ends, np.int32)[some.offset : some.offset + len(some) + 1]
    first, last = places[[0, -1]].tolist()
    data = letters.slice(first, last - first).to_pybytes() if last > first else b""
    places = (places - first).tolist()
    if data.isascii():
        whole = data.decode()
        return [whole[a:b] for a, b in pairwise(places)]
    return [data[a:b].decode() for a, b in pairwise(places)]
