"""What a campaign asks of the tool that its annotators work in: projects, tasks, push, pull and accounts.

Label Studio is built in. A third party adds a back end as an entry point of the group ``onrecord.backends``:
its name is the campaign's ``backend:``, its value a function ``(workspace, campaign, address) -> AnnotationBackend``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple, NotRequired, Protocol, Self, TypedDict

from onrecord.core.errors import BadInput
from onrecord.core.records import Annotation, ArticleRow, Launched, PlanRow
from onrecord.core.workspace import Workspace
from onrecord.scheme.scheme import Scheme

GROUP = "onrecord.backends"
BUILT_IN = {"labelstudio": "onrecord.campaign.labelstudio.label_studio_backend:connect"}


@dataclass(frozen=True)
class Address:
    """Where the campaign's server is: ``labelstudio`` in the config. Without ``url`` it is the workspace's own.

    ``public_url`` is where people reach it, ``ca`` a file of certificates to trust.
    """

    url: str | None = None
    public_url: str | None = None
    ca: str | None = None


OWN = Address()  # the workspace's own server


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
    """The page of one annotator in one round; ``instructions`` are HTML.

    ``targets`` are those of ``targets_of``; ``with_answers`` says that the tasks show earlier annotators'
    answers (adjudication). ``reopen`` are tasks, by the back end's numbers, that another person has answered: they
    stay, and are asked again beside.
    """

    title: str
    instructions: str
    scheme: Scheme
    targets: Mapping[str, Mapping[str, Any]]
    with_answers: bool = False
    round: str = ""
    annotator: str = ""
    reopen: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Task:
    """A row of the plan with all that its annotator is shown.

    ``near`` is the span, in the article's text, of the sentence with its neighbours; ``names`` are offered
    as speakers; ``suggestion`` has the labels proposed by ``suggested_by`` (None: nothing is proposed);
    ``answers`` are earlier annotators' answers as HTML.
    """

    row: PlanRow
    article: ArticleRow
    near: tuple[int, int]
    names: Sequence[str]
    suggestion: Mapping[str, str | None] | None = None
    suggested_by: str = ""
    answers: str | None = None


class BackendTask(TypedDict):
    """A task by the back end's own number; one that was ``annotated``, skipped or begun is never deleted.

    The rest is of what it shows, where the back end knows.
    """

    id: int
    text_sha256: str
    annotated: bool
    target_version: NotRequired[int]
    content_sha256: NotRequired[str]
    suggestion_shown: NotRequired[bool]


class Entry(NamedTuple):
    """Answers to enter for an annotator into the task of a number."""

    task: int
    answers: Answers
    seconds: float | None
    skipped: bool = False


class PulledAnnotation(NamedTuple):
    """One annotation as the back end has it now. ``problem`` says why it may not count ("" if it may), ``cure`` what helps.

    ``id`` is unique within the task. Times are ISO 8601 by the back end's clock, empty where it has none.
    ``made_by`` is the other person where it is not, or not only, the annotator's ("" for none of the campaign), and
    ``reopen`` asks for the task to be asked again. ``result`` is the answer as the back end has it.
    """

    id: str
    answers: Answers
    status: str  # submitted or skipped
    text_sha256: str  # of the sentence as it was shown
    seconds: float | None
    created_at: str
    updated_at: str
    problem: str = ""
    cure: str = ""
    made_by: str | None = None
    reopen: bool = False
    result: Any = None


class PulledTask(NamedTuple):
    """All annotations that one task has now: any other that was collected of it is not there any more.

    ``task_id`` is the plan's, "" where the task itself is gone; ``source`` names the task by the back end's own
    numbers (SERVER/PROJECT/TASK), ``address`` its page. ``target_version`` and ``suggestion_shown`` are of what the
    task shows, None where the back end does not know.
    """

    task_id: str
    sentence_id: str
    annotator: str
    source: str
    updated_at: str
    annotations: Sequence[PulledAnnotation]
    address: str = ""
    target_version: int | None = None
    suggestion_shown: bool | None = None


@dataclass(frozen=True)
class Pulled:
    """The tasks of one project that changed. ``state`` comes with the next request, once all this is written.

    ``gone`` says that the back end has no such project any more.
    """

    project: str
    tasks: Sequence[PulledTask]
    state: Mapping[str, Any] = field(default_factory=dict)
    drafts: int = 0
    unplanned: int = 0  # annotated tasks that are not of the plan
    gone: bool = False


@dataclass(frozen=True)
class PullRequest:
    """What is known here, so that a back end need give only what changed (it may give everything).

    ``collected`` has the latest line of each annotation, ``states`` what the last pull of each project
    returned; ``scheme_at`` returns the scheme in force at a moment. ``sweep`` asks for a look at every task,
    which a project also gets when its last was ``sweep_every`` seconds ago; ``again`` are the sources of tasks
    to be given whether they changed or not.
    """

    launched: Sequence[Launched]
    collected: Sequence[Annotation]
    scheme_at: Callable[[str], Scheme]
    states: Mapping[str, Mapping[str, Any]]
    sweep: bool = False
    sweep_every: float = 3600
    again: frozenset[str] = frozenset()


class AnnotationSource(Protocol):
    """The pull side, which is all that a file of annotations has."""

    def pull(self, request: PullRequest) -> Iterator[Pulled]:
        """Yield what each project has that was not collected yet; an annotation with an unknown label has a problem."""


class AnnotationBackend(AnnotationSource, Protocol):
    """An open connection to the tool. ``key`` names its server in ``launched.jsonl``, ``url`` in messages."""

    key: str
    url: str

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def now(self) -> str:
        """Return the moment of the campaign's last change in the back end, by its own clock (ISO 8601); "" before any."""

    def accounts(self, annotators: Sequence[str] = ()) -> Mapping[str, Login]:
        """Return all accounts of the campaign by annotator, after making those of ``annotators`` that are missing."""

    def mark(self, annotator: str, *, origin: str, guidelines_version: str | None = None) -> None:
        """Remember that no person enters the labels of an account, and under which guidelines they were made."""

    def projects(self) -> Mapping[tuple[str, str], int]:
        """Return the numbers of the campaign's projects by (round, annotator)."""

    def tasks(self, project: int) -> Mapping[str, BackendTask]:
        """Return a project's tasks by ``task_id``."""

    def push(
        self, project: Project, tasks: Sequence[Task], before: Sequence[Launched]
    ) -> tuple[int, Mapping[str, BackendTask]]:
        """Bring a project to hold each of ``tasks`` once; return its number and all tasks that it then has.

        Others are deleted unless annotated. ``before`` is what the last launch left. It may be killed at
        any moment and is then run again.
        """

    def annotate(self, entries: Mapping[tuple[str, int], Sequence[Entry]], scheme: Scheme) -> int:
        """Enter answers by (annotator, project) under the annotators' own accounts, but in tasks not annotated yet.

        Returns how many were entered.
        """

    def page(self, project: int) -> str:
        """Return the address at which the annotator of a project works."""


def open_backend(
    name: str, workspace: Workspace, campaign: str, address: Address
) -> AnnotationBackend:
    """Return a connection to the back end ``name``; raises BadInput where there is none of that name."""
    if name in BUILT_IN:
        found = EntryPoint(name, BUILT_IN[name], GROUP)
    else:
        others = {one.name: one for one in entry_points(group=GROUP)}
        if name not in others:
            raise BadInput(
                f"campaign.backend={name}: expected one of {', '.join([*BUILT_IN, *others])}"
            )
        found = others[name]
    backend: AnnotationBackend = found.load()(workspace, campaign, address)
    return backend
