"""Rows between stages: who made the labels."""

import pytest

from onrecord.core.records import origin_of


@pytest.mark.parametrize(
    ("origins", "declared", "made"),
    [
        ([], "people", "people"),
        (["people"], "machine", "machine"),
        (["people", "simulated"], "people", "simulated"),
    ],
)
def test_labels_are_never_called_people_s_when_one_is_not(origins, declared, made):
    assert origin_of(origins, declared) == made
