"""The shape of ``agreement.json``, which ``agree`` writes and the pages and the dataset card read."""

from typing import Any, NotRequired, TypedDict

from onrecord.core.intervals import Score


class AlphaFigures(TypedDict):
    """Krippendorff's alpha with its interval, or the ``reason`` why it has none.

    Of ``n_pairable`` tasks with two annotations or more, the annotators of ``unanimous`` agree.
    """

    alpha: float | None
    low: float | None
    high: float | None
    n_tasks: int
    n_pairable: int
    n_annotations: int
    n_groups: int
    unanimous: int
    reason: NotRequired[str]
    others: NotRequired["OtherAnnotators"]
    n_missing: NotRequired[int]
    with_furniture: NotRequired["AlphaFigures | None"]


class PairFigures(TypedDict):
    """Cohen's kappa of two annotators on the tasks that both annotated."""

    pair: list[str]
    kappa: float | None
    n_tasks: int


class Difference(TypedDict):
    """A mean of one part less that of another; ``n`` has the sizes of the two."""

    value: float | None
    low: float | None
    high: float | None
    n: list[int]
    reason: NotRequired[str]


_Versions = TypedDict("_Versions", {"from": str, "to": str})


class VersionChange(Score, _Versions):
    """The change of alpha from one version of the guidelines to another."""


class OtherAnnotators(TypedDict):
    """The 95 % interval of alpha for other annotators like these, or the ``reason`` why there is none."""

    low: float | None
    high: float | None
    n_annotators: int
    reason: NotRequired[str]


class QuestionFigures(AlphaFigures):
    """All figures of one question; those from ``percent`` on exist where a task has two annotations.

    ``labels`` has ``n`` and ``specific`` agreement of each label; ``confused`` rows of two ``labels`` and the
    ``pairs`` of annotations that have one each; ``confusion`` the ``labels`` and Krippendorff's coincidence
    matrix ``pairs``, shape (labels, labels).
    """

    level: NotRequired[str]
    percent: NotRequired[Score]
    ac1: NotRequired[Score]
    ac2: NotRequired[Score]
    fleiss: NotRequired[Score]
    without_annotator: NotRequired[dict[str, float | None]]
    labels: NotRequired[dict[str, dict[str, Any]]]
    pairs: NotRequired[list[PairFigures]]
    confusion: NotRequired[dict[str, Any]]
    confused: NotRequired[list[dict[str, Any]]]
    by_guidelines: NotRequired[dict[str, AlphaFigures]]
    by_week: NotRequired[dict[str, AlphaFigures]]
    by_outlet: NotRequired[dict[str, AlphaFigures]]
    change: NotRequired[list[VersionChange]]
    drift: NotRequired[dict[str, Difference]]


class CountedShare(TypedDict):
    """A share and how many tasks it rests on."""

    value: float
    n: int


class ClaimedShare(CountedShare):
    """The share of tasks where a model's label is right, and how probable it ``claimed`` to be."""

    claimed: float


class Pace(TypedDict):
    """Median seconds a task, and how many tasks were far too fast or too slow."""

    seconds: float
    n: int
    too_fast: int
    too_slow: int


class AnnotatorFigures(TypedDict, total=False):
    """The figures of one annotator, by question where they are of a question."""

    n_tasks: int
    agreement_with_rest: dict[str, Score | None]
    bias: dict[str, dict[str, Score]]
    models: dict[str, dict[str, float]]
    pace: Pace
    checks: dict[str, CountedShare]
    repeats: dict[str, CountedShare]


class IdenticalPair(TypedDict):
    """Two annotators who never differ, though others differ from them."""

    pair: list[str]
    n_tasks: int
    disputed_by_others: int


class Anchoring(TypedDict, total=False):
    """How answers and pace differ where a suggestion was shown; ``reason`` where that is not measured."""

    agreement: dict[str, Difference]
    seconds: Difference
    reason: str


class FlagFigures(TypedDict):
    """The share of a flag's tasks on which annotators differ, beside the share of all tasks."""

    flag: str
    hint: str
    question: str
    n_tasks: int
    disputed: float
    everywhere: float


class CostlyConfusion(TypedDict):
    """Two labels whose confusion lowers alpha by ``cost``; ``share`` is of all disagreeing pairs."""

    labels: list[str]
    share: float
    cost: float
    n_tasks: int
    n_groups: int
    tasks: list[str]


class Problem(CostlyConfusion):
    """A costly confusion of a question, with the votes on its tasks and the clauses that apply."""

    question: str
    votes: dict[str, dict[str, str]]
    clauses: list[str]
    advice: str


class SampleSize(TypedDict, total=False):
    """Tasks needed for an interval of the ``wanted`` width, by annotators a task; or the reason why unknown."""

    tasks: int
    width: float
    wanted: float
    halved: int
    needed: dict[str, int | None]
    needed_per_label: dict[str, int]
    reason: str


class AgreementReport(TypedDict):
    """The whole of ``agreement.json``; ``anchoring``, ``claimed`` and ``flags`` exist for a campaign's annotations only."""

    questions: dict[str, QuestionFigures]
    annotators: dict[str, AnnotatorFigures]
    identical: list[IdenticalPair]
    anchoring: NotRequired[Anchoring]
    claimed: NotRequired[dict[str, list[ClaimedShare]]]
    flags: NotRequired[list[FlagFigures]]
    problems: list[Problem]
    enough: dict[str, SampleSize]
    advice: list[str]
    origin: str | None
    signature: dict[str, str | int]
