"""The scheme: what is refused, and that committed renderings are not stale."""

import copy
import re

import pytest
import yaml
from label_studio_sdk.label_interface import LabelInterface

from onrecord import ROOT
from onrecord.campaign.labelstudio.label_config import render_label_config
from onrecord.core.errors import BadInput
from onrecord.scheme.guidelines import guidelines_version, render_guidelines
from onrecord.scheme.scheme import load_scheme, parse_scheme, questions_over, targets_of

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
        pytest.param(("questions", "stance", "target"), "a-b", "found 'a-b'", id="target id"),
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


def the_docs_second_target():
    """Our scheme with the question that docs/scheme.md adds, and the campaign with its target."""
    docs = (ROOT / "docs/scheme.md").read_text(encoding="utf-8").partition("## A second target")[2]
    campaign, question = (
        yaml.safe_load(block) for block in re.findall("```yaml\n(.*?)```", docs, re.S)[:2]
    )
    declared = copy.deepcopy(DECLARED)
    declared["questions"] |= question
    return parse_scheme(declared, "scheme.yaml"), campaign["targets"]


def test_the_docs_second_target_is_rendered_and_learnt_beside_the_first():
    scheme, further = the_docs_second_target()
    targets = targets_of(scheme, {"target": {"name": "free buses"}, "targets": further})
    assert questions_over(scheme, "stance", targets) == {
        "stance": "free buses", "stance_parking": "raising the parking fee",
    }  # fmt: skip
    assert list(questions_over(scheme, "claim_type", targets)) == ["claim_type"]
    assert "stance_parking" not in scheme.without(["stance_parking"]).questions
    block = "<!-- scheme: stance_parking -->\n<!-- end -->"
    assert "| favor | i | good, wants more of it |" in render_guidelines(block, scheme)
    page = render_label_config(scheme)
    assert LabelInterface(page).validate() is None
    for shown in ("$target", "$opposite", "$target_parking", "$opposite_parking"):
        assert f'value="{shown}"' in page
    assert render_label_config(load_scheme()) == (ROOT / "annotation/label_config.xml").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("further", "complaint"),
    [
        ({}, "asks about the target 'parking', found none"),
        ({"fees": {"name": "x"}}, "asks about the target 'parking', found fees"),
        ({"parking": {"name": " "}}, "campaign.targets.parking: expected a name"),
        ({"parking": None}, "campaign.targets.parking: expected a name"),
        (
            {"parking": {"name": "x"}, "b": {"name": "y"}},
            "no question of the scheme has `target: b`",
        ),
        ({"parking": {"name": "free buses"}}, "two targets are named 'free buses'"),
    ],
)
def test_targets_and_questions_must_agree(further, complaint):
    with pytest.raises(BadInput, match=complaint):
        targets_of(
            the_docs_second_target()[0], {"target": {"name": "free buses"}, "targets": further}
        )


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
