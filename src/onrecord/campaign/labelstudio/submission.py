"""Answers entered into Label Studio's tasks under their annotators' own accounts, several at once, each once."""

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from rich.progress import Progress

from onrecord.campaign.backend import Entry
from onrecord.campaign.labelstudio.client import Interrupted, LabelStudio
from onrecord.campaign.labelstudio.result_format import Region, to_result
from onrecord.core.errors import BadInput
from onrecord.scheme.scheme import Scheme


class Submission(NamedTuple):
    """One annotation to create."""

    task: int
    result: list[Region]
    seconds: float | None
    skipped: bool


def missing(
    client: LabelStudio, project: int, entries: Iterable[Entry], scheme: Scheme
) -> list[Submission]:
    """Return the annotations to create for those entries whose task in the project has none yet."""
    columns = "id,data,total_annotations,cancelled_annotations"
    open_tasks = {
        task["id"]: [choice["value"] for choice in task["data"].get("names", ())]
        for task in client.tasks(project, include=columns)
        if not task["total_annotations"] and not task["cancelled_annotations"]
    }
    found = []
    for number, answers, seconds, skipped in entries:
        if number in open_tasks:
            result = to_result(
                answers.labels, scheme,
                names=open_tasks[number], flags=answers.flags, comment=answers.comment,
            )  # fmt: skip
            if result or skipped:
                found.append(Submission(number, result, seconds, skipped))
    return found


def submit(client: LabelStudio, new: Submission) -> None:
    """Create one annotation; where the answer was lost, ask whether it is there before trying again."""
    for _ in range(3):
        try:
            client.sdk.annotations.create(
                new.task, result=new.result, lead_time=new.seconds, was_cancelled=new.skipped
            )
            return
        except Interrupted:
            if client.sdk.annotations.list(new.task):
                return
    raise BadInput(f"{client.url}: three posts of an annotation of task {new.task} were broken off")


def submit_all(
    client: LabelStudio, tokens: Mapping[str, str], new: Mapping[str, Sequence[Submission]]
) -> int:
    """Create each annotator's annotations by their own token, all annotators at once; return how many."""
    total = sum(map(len, new.values()))
    broken = threading.Event()
    with Progress(disable=not sys.stderr.isatty()) as bar:
        shown = bar.add_task("entering labels", total=total)

        def submit_of(annotator: str) -> None:
            try:
                with client.as_user(tokens[annotator]) as own:
                    for one in new[annotator]:
                        if broken.is_set():
                            return
                        submit(own, one)
                        bar.advance(shown)
            except BaseException:
                broken.set()
                raise

        with ThreadPoolExecutor(max_workers=max(1, len(new))) as pool:
            list(pool.map(submit_of, new))
    return total
