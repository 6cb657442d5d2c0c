"""What ``dataset.json`` says of a dataset: how it was made, its size, and what limits its use."""

from typing import Any, NotRequired, TypedDict


class SplitConfig(TypedDict):
    """A file of ``conf/split/``; which keys it has depends on the strategy that ``name`` names."""

    name: str
    on_leak: NotRequired[str]
    shares: NotRequired[dict[str, float]]
    k: NotRequired[int | None]
    train_until: NotRequired[str | None]
    validation_until: NotRequired[str | None]
    validation: NotRequired[list[str]]
    test: NotRequired[list[str]]
    file: NotRequired[str | None]


class SplitCounts(TypedDict):
    """The size of a split: rows, groups, rows that are copies, and rows per label."""

    rows: int
    groups: int
    copies: int
    labels: dict[str, int]


class Finding(TypedDict):
    """Something that limits what scores mean, in one sentence, with its figures."""

    kind: str
    message: str
    figures: dict[str, Any]


class AuditSummary(TypedDict):
    """The part of ``audit.json`` that goes with the dataset.

    ``on_leak`` is what was done about sentences in two splits: fail, drop or report.
    """

    summary: str
    on_leak: str
    findings: list[Finding]
    passed: bool


class DatasetInfo(TypedDict):
    """``dataset.json``. ``source`` is gold or rows, ``origin`` one of ORIGINS, ``question`` the learnt column.

    ``recovery`` is the share of labelled sentences that `rehydrate` recovered.
    """

    question: str
    source: str
    title: str
    split: SplitConfig
    seed: int
    origin: str
    counts: dict[str, SplitCounts]
    audit: AuditSummary
    recovery: NotRequired[float]
