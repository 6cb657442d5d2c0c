"""The scheme: what is refused, and that committed renderings are not stale."""

import copy
import re

import pytest
import yaml

from onrecord import ROOT
from onrecord.records import BadInput
from onrecord.scheme import guidelines_version, load_scheme, parse_scheme, render_guidelines

DECLARED = yaml.safe_load((ROOT / "annotation/scheme.yaml").read_text(encoding="utf-8"))


def test_guideline_tables_are_rendered_from_the_scheme():
    committed = (ROOT / "annotation/guidelines.md").read_text(encoding="utf-8")
    assert committed == render_guidelines(committed, load_scheme()), "stale: run `make render`"
    assert "| favor | a |" in committed


def test_guidelines_state_their_version():
    assert guidelines_version((ROOT / "annotation/guidelines.md").read_text(encoding="utf-8"))


def test_label_order_is_the_scheme_order():
    assert load_scheme().questions["stance"].names == ["favor", "against", "neutral", "none"]


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        pytest.param(
            ("questions", "stance", "labels", "favor", "hotkey"), "s", "hotkey 's'", id="clash"
        ),
        pytest.param(
            ("flags", "needs_context", "hotkey"), "u", "Label Studio's own", id="reserved"
        ),
        pytest.param(
            ("questions", "stance", "labels"),
            {"favor": {"hotkey": "a"}},
            "1 labels",
            id="one label",
        ),
        pytest.param(("questions", "stance", "kind"), "span", "kind label or name", id="kind"),
        pytest.param(
            ("questions", "speaker_name", "when"), {"speaker": ["king"]}, "speaker=king", id="when"
        ),
        pytest.param(("questions", "stance", "aks"), "?", "no key 'aks'", id="misspelt"),
    ],
)
def test_an_unsound_scheme_is_refused(path, value, complaint):
    declared = copy.deepcopy(DECLARED)
    node = declared
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    with pytest.raises(BadInput, match=complaint):
        parse_scheme(declared, "scheme.yaml")


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [({"stance": "pro"}, "'pro' is not in the scheme"), ({"mood": "good"}, "no question 'mood'")],
)
def test_a_label_outside_the_scheme_is_refused(labels, complaint):
    with pytest.raises(BadInput, match=complaint):
        load_scheme().check(labels, "annotation 7")


def test_every_example_in_the_guidelines_is_from_the_sample():
    guidelines = (ROOT / "annotation/guidelines.md").read_text(encoding="utf-8")
    sample = " ".join(
        file.read_bytes().decode("utf-8") for file in (ROOT / "data/sample/articles").glob("*.txt")
    )
    examples = [e.strip("… ") for e in re.findall("“([^”]+)”", guidelines)]
    assert len(examples) >= 8
    assert [e for e in examples if e not in sample] == []
