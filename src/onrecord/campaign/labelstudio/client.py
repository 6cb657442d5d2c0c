"""Label Studio's API, as far as a campaign needs it, in raw JSON: the SDK's models are stricter than the server.

Reading is tried again when the server is away for a moment; writing is not: after a broken write only the
caller can ask what stands. A page past the end answers 404, which ends the pages.
"""

import json
import os
import stat
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from onrecord.campaign.labelstudio import server
from onrecord.core.errors import BadInput

TOKEN_VARIABLE = "LABEL_STUDIO_API_KEY"  # noqa: S105  (the variable's name)
PAGE = 1000  # tasks a page: ten pages of a 10,000-task project list in 4 s
KEYS = (
    200  # keys in one filter: it travels in the address, which proxies cut at some 8,000 characters
)
READ_TRIES = 8  # 0.5, 1, 2, 4, 8 … seconds apart: outlasts a restart of the server


class Interrupted(BadInput):
    """A write whose answer was lost: it may stand on the server or not."""


class Tokens(httpx.Auth):
    """Both kinds of Label Studio token: a legacy one as it is, a personal one through short-lived access tokens."""

    requires_response_body = True

    def __init__(self, token: str, url: str) -> None:
        self.token, self.url = token, url
        self.access = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the token on the request; a personal one is first exchanged, and again once it has run out."""
        if self.token.count(".") != 2:  # a legacy token is 40 hex digits, a personal one a JWT
            request.headers["Authorization"] = f"Token {self.token}"
            yield request
            return
        for _ in range(2):
            if not self.access:
                answer = yield httpx.Request(
                    "POST", f"{self.url}/api/token/refresh", json={"refresh": self.token}
                )
                if answer.status_code != 200:
                    return
                self.access = answer.json()["access"]
            request.headers["Authorization"] = f"Bearer {self.access}"
            answer = yield request
            if answer.status_code != 401:
                return
            self.access = ""


class LabelStudio:
    """One user's connection to a Label Studio; close it, or use it in a ``with`` block.

    ``key`` names the server in what is kept about it: its address, or for the workspace's own (whose
    port changes) ``embedded-`` and a mark of its database.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        key: str | None = None,
        public: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        self.url = url.rstrip("/")
        self.public = public or self.url  # where people reach it
        self.key = key or self.url
        self.http = httpx.Client(
            base_url=self.url, auth=Tokens(token, self.url), timeout=timeout, trust_env=False
        )
        self.server_time = ""  # of the newest answer, by the server's own clock

    def __enter__(self) -> "LabelStudio":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, *, tries: int = READ_TRIES, missing: Any = None, **query: Any) -> Any:
        """Return the JSON at ``path``; ``missing`` where the server answers 404 and ``missing`` is given."""
        return self._again(lambda: self.http.get(path, params=query), path, tries, missing)

    def _again(
        self, send: Callable[[], httpx.Response], path: str, tries: int, missing: Any
    ) -> Any:
        for attempt in range(tries):
            try:
                answer = send()
                if answer.status_code < 500 or attempt == tries - 1:
                    break
            except httpx.TransportError as error:
                if attempt == tries - 1:
                    raise self.unreachable(error) from error
            time.sleep(min(8.0, 0.5 * 2**attempt))
        if answer.status_code == 404 and missing is not None:
            return missing
        return self._checked(answer, "GET", path)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON answer to one write; raises Interrupted where the answer was lost."""
        try:
            answer = self.http.request(method, path, json=body)
        except httpx.ConnectError as error:  # nothing was sent
            raise self.unreachable(error) from error
        except httpx.TransportError as error:
            raise Interrupted(f"{self.url}: the answer to {method} {path} was lost") from error
        return self._checked(answer, method, path)

    def _checked(self, answer: httpx.Response, method: str, path: str) -> Any:
        if answer.status_code == 401:
            raise BadInput(
                f"{self.url} does not accept the token: expected one of its own in {TOKEN_VARIABLE} "
                "or a file, found another"
            )
        if answer.status_code >= 400:
            said = " ".join(answer.text.split())[:300]
            raise BadInput(f"{self.url}: {method} {path} was answered {answer.status_code}: {said}")
        if "date" in answer.headers:
            self.server_time = iso(parsedate_to_datetime(answer.headers["date"]))
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            raise BadInput(
                f"{self.url}{path}: expected Label Studio's JSON, found {answer.text[:60]!r}"
            ) from error

    def unreachable(self, error: Exception) -> BadInput:
        """Return the one line for a server that does not answer."""
        return BadInput(
            f"no Label Studio answers at {self.url} ({error or type(error).__name__}): run `onrecord serve`, "
            "or give its address as labelstudio.url="
        )

    def whoami(self) -> dict[str, Any]:
        """Return who the token belongs to; the first call, so it is not tried again."""
        found = self.get("/api/current-user/whoami", tries=1)
        if not isinstance(found, dict) or "email" not in found:
            raise BadInput(f"{self.url} answers, but not as Label Studio does")
        return found

    def projects(self) -> list[dict[str, Any]]:
        """Return every project that the user sees."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next": True}
        while page["next"]:
            number = len(found) // 100 + 1
            page = self.get("/api/projects/", page=number, page_size=100)
            found += page["results"]
        return found

    def tasks(
        self,
        project: int,
        *,
        fields: str = "task_only",
        include: str | None = None,
        filters: Sequence[Mapping[str, Any]] = (),
        page_size: int = PAGE,
    ) -> Iterator[dict[str, Any]]:
        """Yield the tasks of a project that pass every filter of Label Studio's data manager, by id."""
        query = {
            "filters": {"conjunction": "and", "items": list(filters)},
            "ordering": ["tasks:id"],
        }
        wanted: dict[str, Any] = {"project": project, "fields": fields, "page_size": page_size}
        if include:
            wanted["include"] = include
        wanted["query"] = json.dumps(query)
        for number in range(1, 1_000_000):
            found = self.get("/api/tasks/", missing={"tasks": []}, page=number, **wanted)["tasks"]
            yield from found
            if len(found) < page_size:
                return


def changed_since(moment: str) -> dict[str, Any]:
    """Return the filter for tasks touched after ``moment`` (ISO 8601): annotated, changed or with a deletion."""
    return _where("updated_at", "greater", "Datetime", moment)


def keyed(keys: Sequence[str]) -> dict[str, Any]:
    """Return the filter for tasks whose ``data.onrecord_id`` is one of ``keys``."""
    return _where("data.onrecord_id", "in_list", "List", list(keys))


def numbered(ids: Sequence[int]) -> dict[str, Any]:
    """Return the filter for tasks by Label Studio's own ids."""
    return _where("id", "in_list", "List", list(ids))


def with_draft() -> dict[str, Any]:
    """Return the filter for tasks with anybody's draft: the list of drafts itself shows only one's own."""
    return _where("draft_exists", "equal", "Boolean", True)


def _where(field: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{field}", "operator": operator, "type": kind, "value": value}


def iso(moment: datetime) -> str:
    """Return a moment as Label Studio writes it: UTC, to the microsecond.

    >>> iso(datetime(2026, 1, 5, 9, 30, tzinfo=UTC))
    '2026-01-05T09:30:00.000000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def token_from(variables: Mapping[str, str], path: Path) -> str:
    """Return the token in ``LABEL_STUDIO_API_KEY``, else in the file; raises BadInput where neither has one."""
    if variables.get(TOKEN_VARIABLE):
        return variables[TOKEN_VARIABLE].strip()
    if not path.is_file():
        raise BadInput(
            f"no token for Label Studio: set {TOKEN_VARIABLE}, or put it into {path} (mode 0600)"
        )
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadInput(f"{path}: others may read this token: `chmod 600` it first")
    return path.read_text(encoding="utf-8").strip()


def connect(workspace: Path, url: str | None = None) -> LabelStudio:
    """Return a checked connection to the team's Label Studio at ``url``, or to the workspace's own.

    Raises BadInput where none runs, none answers or the token is not accepted.
    """
    if url:
        if urlsplit(url).scheme not in ("http", "https"):
            raise BadInput(f"labelstudio.url: expected http://… or https://…, found {url!r}")
        client = LabelStudio(url, token_from(os.environ, workspace / "labelstudio" / "token"))
    else:
        own = server.running(workspace)
        client = LabelStudio(own.url, own.token, key=own.key, public=own.public)
    client.whoami()
    return client
