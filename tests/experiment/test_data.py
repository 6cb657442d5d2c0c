"""What is read from a dataset folder, and what is refused there."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, write_json
from onrecord.experiment.data import read_examples


@pytest.fixture
def dataset(built, tmp_path):
    return shutil.copytree(built / "ws" / "dataset", tmp_path / "dataset")


def with_column(folder, name, change, split="train"):
    """Rewrite one column of a split, its features kept."""
    path = folder / "gold" / f"{split}.parquet"
    table = pq.read_table(path)
    place = table.column_names.index(name)
    values = change(table[name].to_pylist())
    field = table.schema.field(place)
    changed = table.set_column(place, field, pa.array(values, field.type))
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)


def test_labels_and_shares_come_in_the_features_order(examples):
    assert examples.names == ("against", "favor", "neutral")
    assert np.allclose(examples.soft.sum(axis=1), 1)
    assert (examples.soft[np.arange(len(examples.labels)), examples.labels] >= 1 / 3).all()


@pytest.mark.parametrize("empty", ["", "  \n", None])
def test_a_row_without_text_is_refused(dataset, empty):
    with_column(dataset, "text", lambda v: [empty, *v[1:]])
    with pytest.raises(BadInput, match="expected a text in row 'r"):
        read_examples(dataset)


@pytest.mark.parametrize("label", [9, -2])
def test_a_label_outside_the_features_is_refused(dataset, label):
    with_column(dataset, "label", lambda v: [label, *v[1:]])
    with pytest.raises(BadInput, match=f"label {label} of row 'r.*against, favor, neutral"):
        read_examples(dataset)


def test_rows_without_gold_and_copies_are_left_out_and_counted(dataset):
    before = len(read_examples(dataset).frame)
    with_column(dataset, "label", lambda v: [None, -1, *v[2:]])
    table = pq.read_table(dataset / "gold" / "train.parquet")
    if "is_copy" in table.column_names:
        with_column(dataset, "is_copy", lambda v: [*v[:-1], True])
    else:
        copies = pa.array([False] * (len(table) - 1) + [True])
        pq.write_table(table.append_column("is_copy", copies), dataset / "gold" / "train.parquet")
    found = read_examples(dataset)
    assert found.left_out == {"without gold": 2, "copies": 1}
    assert len(found.frame) == before - 3


def test_labels_in_another_order_in_one_split_are_refused(dataset):
    path = dataset / "gold" / "test.parquet"
    table = pq.read_table(path)
    carried = table.schema.metadata[b"huggingface"].replace(b'"against", "favor"', b'"favor", "against"')  # fmt: skip
    pq.write_table(table.replace_schema_metadata({b"huggingface": carried}), path)
    with pytest.raises(BadInput, match="expected the labels against, favor"):
        read_examples(dataset)


@pytest.mark.parametrize("gone", ["dataset.json", "gold"])
def test_a_folder_that_is_no_dataset_names_the_verb(dataset, gone):
    path = dataset / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(BadInput, match="onrecord build"):
        read_examples(dataset)


def test_a_question_that_the_table_lacks_is_refused(dataset):
    about = read_json(dataset / "dataset.json")
    write_json(dataset / "dataset.json", {**about, "question": "stance"})
    with pytest.raises(BadInput, match="expected the column 'stance', found"):
        read_examples(dataset)
