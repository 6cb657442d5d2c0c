"""What changed under a version that was in force is refused, with the words that mend it."""

import pytest

from onrecord.core.errors import BadInput
from onrecord.scheme.instrument import is_new_version, target_version, version_in_force, versions_of
from onrecord.scheme.scheme import load_scheme

GUIDELINES = "# Guidelines, version {}\n\n<!-- target -->\n(each campaign's)\n<!-- end -->\n\n{}\n"


def line(guidelines="1.0.0", text="Read.", version=1, name="free buses", **target):
    targets = {"": {"name": name, "opposite": "fares", "version": version, **target}}
    return version_in_force(load_scheme(), GUIDELINES.format(guidelines, text), targets)


def test_a_new_version_is_a_new_line_and_the_same_is_none():
    first = line()
    assert is_new_version([], first)
    assert not is_new_version([{**first, "since": "2026-01-01T00:00:00Z"}], line())
    assert is_new_version([first], line("1.1.0", "Read twice."))
    assert is_new_version([first], line(version=2, name="buses for all"))
    assert is_new_version([first], {**first, "labels_sha256": "x", "scheme_version": 2})
    assert is_new_version([first, line(version=2, name="buses for all")], first)  # taken back


@pytest.mark.parametrize(
    ("changed", "mend"),
    [
        (line(text="Read twice."), "first line of annotation/guidelines.md"),
        (line(name="buses for all"), "raise `target.version`"),
        (line(opposite="no buses"), "raise `target.version`"),
        (line(aliases=["fare-free"]), "raise `target.version`"),
        ({**line(), "labels_sha256": "x"}, "declare the migration"),
    ],
)
def test_a_text_changed_under_its_version_is_refused(changed, mend):
    for earlier in ([line()], [line(), line("1.1.0", "Other.", 2, "other")]):
        with pytest.raises(BadInput, match="changed since the campaign was launched") as refused:
            is_new_version(earlier, changed)
        assert mend in str(refused.value)


def test_a_line_of_an_earlier_release_knows_no_texts_of_target_and_guidelines():
    old = {k: v for k, v in line().items() if k in ("since", "guidelines_version", "scheme_version", "labels_sha256")}  # fmt: skip
    assert is_new_version([old], line(name="buses for all"))


def test_compatible_versions_are_those_declared():
    campaign = {"target": {"version": 2}, "compatible_versions": {"target": [1, 2], "scheme": None}}
    versions = versions_of(campaign, load_scheme())
    assert versions.of({"target_version": 1}) == versions.of({"target_version": 2})
    assert versions.of({"scheme_version": 1}) != versions.of({"scheme_version": 2})
    with pytest.raises(BadInput, match="found 'speaker'"):
        versions_of({"target": {}, "compatible_versions": {"speaker": [1]}}, load_scheme())
    with pytest.raises(BadInput, match="found '2'"):
        target_version({"": {"version": "2"}})
