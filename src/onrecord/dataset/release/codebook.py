"""The codebook of a release: every question, label, flag and column, and what an empty cell means."""

from collections.abc import Mapping
from typing import Any

from onrecord.dataset.features import Feature, Features
from onrecord.dataset.release.release_inputs import ReleaseInfo
from onrecord.scheme.scheme import Scheme

COLUMNS = {
    "sentence_id": "article, and half-open offsets in code points of its text: ARTICLE:START-END",
    "article_id": "the article of the sentence",
    "group_id": "articles that are copies of one story share it; a group is in one split only",
    "outlet": "who published the article; empty where not known",
    "published": "when the article was published; empty where not known",
    "text": "the sentence",
    "context_before": "the sentences before it in the article, without furniture",
    "context_after": "the sentences after it in the article, without furniture",
    "target": "what the stance is about",
    "target_id": "what the stance is about, as a short name",
    "speaker_name": "the fullest form of the speaker's name in the article; empty for author and none, where "
    "undecided, and (stand-off) where it is longer than five words",
    "suggested_speaker": "the speaker that the rules suggest without seeing the labels; what models may use",
    "suggested_speaker_name": "the name that the rules suggest without seeing the labels",
    "speaker_start": "where the article names the speaker: start, in code points; empty where not verbatim",
    "speaker_end": "where the article names the speaker: end, in code points; empty where not verbatim",
    "n_annotators": "how many annotators answered",
    "unanimous": "whether all annotators gave the learnt question the same label",
    "is_copy": "whether the sentence repeats one of another article of its group; models and scores count that one",
    "text_sha256": "SHA-256 of the sentence's UTF-8",
    "fold": "the fold of cross-validation that the sentence's group is held out in",
    "annotation_id": "an id of this release: sentence, annotator and purpose",
    "furniture": "kind of page furniture (by-line, caption and the like), empty for prose",
    "annotator": "who annotated, by pseudonym",
    "round": "the round of the campaign",
    "purpose": "why the annotation was made: main, qualification, check, repeat or adjudication",
    "flags": "the flags that the annotator set",
    "comment": "what the annotator wrote",
    "seconds": "time taken, in seconds; empty where none was measured",
    "suggestion_shown": "whether the annotator saw a suggested speaker",
    "guidelines_version": "the version of the guidelines that were followed",
    "scheme_version": "the version of the label scheme",
    "origin": "who made the annotation: people, machine or simulated",
    "in_gold": "whether the sentence is in the config gold",
    "label": "the label",
    "label_soft": "the share of votes for each label, in the order of the labels",
}


def meaning_of(scheme: Scheme) -> dict[str, str]:
    """Return what each column means, the scheme's own questions included."""
    meaning = dict(COLUMNS)
    for question in scheme.questions.values():
        if question.kind == "label":
            meaning[question.name] = f"{question.ask} (empty: undecided)"
            meaning[f"{question.name}_soft"] = (
                f"share of annotators for each label of {question.name}, in the order of the labels"
            )
    return meaning


def codebook(
    scheme: Scheme,
    features: Features,
    meaning: Mapping[str, str],
    info: ReleaseInfo,
) -> dict[str, Any]:
    """Return the codebook as JSON: versions, questions with labels in their order, columns of each config."""
    names = {
        column: feature["names"]
        for columns in features.values()
        for column, feature in columns.items()
        if feature.get("_type") == "ClassLabel"
    }
    questions = {
        q.name: {
            "ask": q.ask,
            "kind": q.kind,
            "asked_when": {other: list(answers) for other, answers in q.when.items()},
            "labels": [
                {"id": i, "name": label.name, "hint": label.hint} for i, label in enumerate(q.labels)
            ],
        }
        for q in scheme.questions.values()
        if q.name in {column for columns in features.values() for column in columns}
    }  # fmt: skip
    return {
        "name": info.name,
        "version": info.options.version,
        "scheme_version": scheme.version,
        "guidelines_version": info.guidelines_version,
        "targets": info.targets,
        "labels_made_by": info.origin,
        "questions": questions,
        "flags": {flag.name: flag.hint for flag in scheme.flags},
        "columns": {
            config: {
                column: {"meaning": meaning.get(column, "as in the table that the labels come from"), "type": _type(feature)}
                | ({"labels": names[column]} if column in names else {})
                for column, feature in columns.items()
            }
            for config, columns in features.items()
        },
    }  # fmt: skip


def _type(feature: Feature) -> str:
    if feature.get("_type") == "ClassLabel":
        return "label"
    if feature.get("_type") == "List":
        return f"list of {_type(feature['feature'])}"
    return str(feature.get("dtype", "struct"))
