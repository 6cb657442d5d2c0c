"""What a campaign asks of the tool that its annotators work in: projects, tasks, push, pull and accounts.

Label Studio is built in. A third party adds a back end as an entry point of the group ``onrecord.backends``:
its name is the campaign's ``backend:``, its value a function ``(workspace, campaign, url) -> AnnotationBackend``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, Protocol, TypedDict

from onrecord.core.errors import BadInput
from onrecord.core.records import Annotation, Article, Launched, PlanRow
from onrecord.scheme.scheme import Scheme

GROUP = "onrecord.backends"
BUILT_IN = {"labelstudio": "onrecord.campaign.labelstudio.label_studio_backend:connect"}


class Answers(NamedTuple):
    """One annotator's answers to one task: a label (or None) for each question, flags, a comment."""

    labels: dict[str, str | None]
    flags: list[str]
    comment: str


class Login(TypedDict):
    """An annotator's account. ``user_id`` is the back end's number of it.

    ``origin`` is set where no person uses it (shipped or simulated labels), ``guidelines_version`` where
    those labels were made under another version than the present one.
    """

    annotator: str
    email: str
    password: str
    user_id: int
    origin: NotRequired[str]
    guidelines_version: NotRequired[str]


@dataclass(frozen=True)
class Project:
    """The tasks of one annotator in one round; ``instructions`` are HTML.

    ``with_answers`` says that its tasks show earlier annotators' answers (adjudication).
    """

    round: str
    annotator: str
    title: str
    instructions: str
    with_answers: bool = False


@dataclass(frozen=True)
class Task:
    """A row of the plan with all that its annotator is shown.

    ``near`` is the span in the article's text of the sentence and its neighbours; ``names`` are offered as
    speakers; ``suggestion`` holds proposed labels by question (None: nothing is proposed) and
    ``suggested_by`` what made them; ``answers`` are earlier annotators' answers as HTML.
    """

    row: PlanRow
    article: Article
    near: tuple[int, int]
    names: Sequence[str]
    suggestion: Mapping[str, str | None] | None = None
    suggested_by: str = ""
    answers: str = ""


class BackendTask(TypedDict):
    """A task in the back end, by its own number. ``annotated``: also if skipped or begun; never deleted then."""

    id: int
    text_sha256: str
    annotated: bool


class PulledAnnotation(NamedTuple):
    """One annotation as the back end has it now. ``problem`` says why it may not count ("" if it may).

    ``id`` is the back end's own, unique within the task; times are ISO 8601 by the back end's clock, empty
    where it has none.
    """

    id: str
    answers: Answers
    status: str  # submitted or skipped
    text_sha256: str  # of the sentence as it was shown
    seconds: float | None
    created_at: str
    updated_at: str
    problem: str = ""


class PulledTask(NamedTuple):
    """All annotations that one task has now, which may be none; what was collected besides was deleted.

    ``task_id`` is the plan's, empty where the plan has no such task; ``source`` is SERVER/PROJECT/TASK, by
    the back end's numbers, and names the task for ever.
    """

    task_id: str
    sentence_id: str
    annotator: str
    source: str
    updated_at: str
    annotations: Sequence[PulledAnnotation]


@dataclass(frozen=True)
class Pulled:
    """What one project gave: the tasks that changed, and what is not an annotation of ours.

    ``state`` is returned to the next pull (by ``key``) once all of this is written.
    """

    key: str
    tasks: Sequence[PulledTask]
    state: Mapping[str, Any] = field(default_factory=dict)
    drafts: int = 0
    unplanned: int = 0  # annotated tasks that are not of the plan
    deleted: Sequence[str] = ()  # task ids: tasks that were deleted there


@dataclass(frozen=True)
class PullRequest:
    """What is known already, so that a back end need give only what changed (it may give everything).

    ``collected`` has the latest line of each annotation; ``scheme_at`` returns the scheme in force at a
    moment (ISO 8601); ``states`` maps a project's key to what its last pull returned; ``sweep`` asks for a
    look at every task, as does a project not swept for ``sweep_every`` seconds.
    """

    launched: Sequence[Launched]
    collected: Sequence[Annotation]
    scheme_at: Callable[[str], Scheme]
    states: Mapping[str, Mapping[str, Any]]
    sweep: bool = False
    sweep_every: float = 3600


class AnnotationSource(Protocol):
    """The pull side, which is all that a file of annotations has."""

    def pull(self, request: PullRequest) -> Iterator[Pulled]:
        """Yield what each project has that was not collected yet; raises BadInput for an unknown label."""
        ...


class AnnotationBackend(AnnotationSource, AbstractContextManager["AnnotationBackend"], Protocol):
    """A connection to the tool. ``key`` names its server in ``launched.jsonl``, ``url`` in messages."""

    key: str
    url: str

    def now(self) -> str:
        """Return the time by the back end's own clock, ISO 8601 in UTC."""
        ...

    def accounts(self, annotators: Sequence[str] = ()) -> Mapping[str, Login]:
        """Return every account of the campaign by annotator, after making those of ``annotators`` that are missing."""
        ...

    def projects(self) -> Mapping[tuple[str, str], int]:
        """Return the numbers of the campaign's projects by (round, annotator)."""
        ...

    def tasks(self, project: int) -> Mapping[str, BackendTask]:
        """Return a project's tasks by ``task_id``."""
        ...

    def push(
        self, project: Project, tasks: Sequence[Task], before: Sequence[Launched]
    ) -> tuple[int, Mapping[str, BackendTask]]:
        """Bring a project to hold ``tasks``, each once, and return its number and all tasks that it then has.

        Surplus tasks are deleted unless annotated. ``before`` is what the last launch left. May be killed
        at any moment and run again.
        """
        ...

    def annotate(self, answers: Mapping[str, Mapping[int, tuple[Answers, float | None]]]) -> int:
        """Enter answers and seconds (annotator → the task's number) under the annotators' own accounts.

        Tasks that are annotated already are left alone; returns how many were entered.
        """
        ...

    def page(self, project: int) -> str:
        """Return the address at which the annotator of a project works."""
        ...


def open_backend(name: str, workspace: Path, campaign: str, url: str | None) -> AnnotationBackend:
    """Return a connection to the back end called ``name``; raises BadInput where there is none of that name."""
    found = [EntryPoint(name, BUILT_IN[name], GROUP)] if name in BUILT_IN else []
    found += entry_points(group=GROUP, name=name)
    if not found:
        known = sorted({*BUILT_IN, *(one.name for one in entry_points(group=GROUP))})
        raise BadInput(f"backend={name}: expected one of {', '.join(known)}")
    backend: AnnotationBackend = found[0].load()(workspace, campaign, url)
    return backend
