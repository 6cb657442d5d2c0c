"""Any labelled table (``source=rows``): checked, and brought into the columns of a dataset."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from onrecord.core.errors import BadInput
from onrecord.dataset.features import (
    Columns,
    Feature,
    feature_of,
    label_feature,
    list_feature,
    value_feature,
)
from onrecord.dataset.gold_rows import repeated

NEEDED = ("id", "text", "target", "label")


def check_rows(table: Mapping[str, Sequence[Any]], where: str) -> None:
    """Raise BadInput unless there are rows, ids are unique, and no id, text, target or label is empty."""
    if not table["id"]:
        raise BadInput(f"{where}: expected rows, found none")
    for name in NEEDED:
        for number, found in enumerate(table[name], 1):
            if found is None or found != found or not str(found).strip():  # noqa: PLR0124 (NaN)
                raise BadInput(f"{where}, row {number}: {name} is empty")
    twice = [str(i) for i, n in Counter(map(str, table["id"])).items() if n > 1]
    if twice:
        more = f", as do {len(twice) - 1} other ids" if len(twice) > 1 else ""
        raise BadInput(f"{where}: id {twice[0]!r} occurs more than once{more}: ids must be unique")


def label_order(found: Sequence[str], declared: Sequence[str] | None, where: str) -> list[str]:
    """Return the label names in their order: as declared, else sorted.

    Raises BadInput for fewer than two labels, and for one that was found but not declared.

    >>> label_order(["b", "a", "b"], None, "rows")
    ['a', 'b']
    """
    names = sorted(set(found)) if declared is None else list(declared)
    unknown = sorted(set(found) - set(names))
    if unknown:
        raise BadInput(f"{where}: label {unknown[0]!r} is not among labels={','.join(names)}")
    if len(names) < 2 or len(set(names)) < len(names):
        raise BadInput(f"{where}: expected two labels or more, each once, found {', '.join(names)}")
    return names


def labelled_columns(
    table: Mapping[str, Sequence[Any]], declared: Sequence[str] | None, where: str
) -> tuple[Columns, dict[str, Feature]]:
    """Return the columns of ``gold`` and their features, from the columns of any table that has NEEDED.

    A row without a group is a group of its own. ``votes`` (a list, or names separated by ``|``) give
    ``label_soft``, ``n_annotators`` and ``unanimous``. All other columns are kept as they are, ``split``
    as ``declared_split``.
    """
    check_rows(table, where)
    ids = [str(i) for i in table["id"]]
    groups = [
        f"row:{i}" if g is None else str(g)
        for i, g in zip(ids, table.get("group", [None] * len(ids)), strict=True)
    ]
    labels = [str(name) for name in table["label"]]
    votes = [_votes(found) for found in table.get("votes", [None] * len(ids))]
    names = label_order([*labels, *(v for found in votes for v in found)], declared, where)
    columns: Columns = {
        "sentence_id": ids,
        "group_id": groups,
        "text": [str(t) for t in table["text"]],
        "target": [str(t) for t in table["target"]],
        "label": labels,
    }
    columns["is_copy"] = repeated(columns, ids, [None] * len(ids))
    text = value_feature("string")
    features = {
        **dict.fromkeys(columns, text),
        "label": label_feature(names),
        "is_copy": value_feature("bool"),
    }
    if "votes" in table:
        columns["label_soft"] = [[v.count(n) / len(v) for n in names] if v else None for v in votes]
        columns["n_annotators"] = [len(v) for v in votes]
        columns["unanimous"] = [len(set(v)) == 1 if v else None for v in votes]
        features |= {"label_soft": list_feature(value_feature("float32")), "n_annotators": value_feature("int32"),
                     "unanimous": value_feature("bool")}  # fmt: skip
    for name in table:
        kept = {"split": "declared_split"}.get(name, name)
        if name in {*NEEDED, "group"} or kept in columns:
            continue
        columns[kept], features[kept] = _kept_column(table[name])
    return columns, features


def _votes(found: Any) -> list[str]:
    if isinstance(found, str):
        found = json.loads(found) if found.startswith("[") else found.split("|")
    return [str(vote) for vote in found or ()]


def _kept_column(values: Sequence[Any]) -> tuple[list[Any], Feature]:
    """Return a column as it is, with its feature; one of mixed types becomes text."""
    try:
        kind = pa.array(values).type
    except (pa.ArrowException, TypeError):
        kind = pa.string()
    feature = feature_of(kind)
    if feature == value_feature("string") and kind != pa.string():
        return [None if v is None else str(v) for v in values], feature
    return list(values), feature
