"""A connection to Label Studio: the SDK's client over an HTTP client of our own, and the few calls that stay raw.

The HTTP client decides what every call has in common. Reading is tried again when the server is away for a
moment; writing is not: after a broken write only the caller can ask what is there (:class:`Interrupted`).

``LabelStudioBase`` is the SDK's client without its two extensions, which nothing here calls: importing
``label_studio_sdk.client`` takes 0.55 s of processor time (pandas, jsf), and this 0.12 s. It is imported on first
use, since ``collect`` of 50 changes takes 1.2 s in all, and with a legacy token needs raw calls only.
"""

import ipaddress
import json
import os
import ssl
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NotRequired, TypedDict
from urllib.parse import urlsplit

import httpx

from onrecord.campaign.backend import OWN, Address
from onrecord.campaign.labelstudio import server
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, write_json

TOKEN_VARIABLE = "LABEL_STUDIO_API_KEY"  # noqa: S105  (the variable's name)
PAGE = 1000  # tasks a page: ten pages of a 10,000-task project list in 4 s
KEYS = 200  # in one filter: it travels in the address, which proxies cut at about 8,000 characters
READ_TRIES = 8  # 0.5, 1, 2, 4, 8 … seconds apart: outlasts a restart of the server
LONGEST_WAIT = 600.0  # seconds, of what a Retry-After asks for
REFRESH = "/api/token/refresh/"


class Interrupted(BadInput):
    """A write whose answer was lost: the server may have done it or not."""


class NotFound(BadInput):
    """The server answered 404."""


class TooLarge(BadInput):
    """The server, or a proxy before it, takes no body of this size (413): send less at a time."""


class Unauthorized(BadInput):
    """The server does not accept the token."""


class RawAnnotation(TypedDict):
    """What is read of an annotation in Label Studio's JSON. ``lead_time`` is in seconds."""

    id: int
    completed_by: int | None
    updated_by: NotRequired[int | None]
    result: list[dict[str, Any]]
    was_cancelled: bool
    lead_time: float | None
    created_at: str
    updated_at: str


class RawTask(TypedDict):
    """What is read of a task in Label Studio's JSON; it has the columns asked for only."""

    id: int
    data: dict[str, Any]
    annotations: list[RawAnnotation]
    predictions: list[Any]
    total_annotations: int
    total_predictions: int
    cancelled_annotations: int
    updated_at: str


class Http(httpx.Client):
    """Sends a request, reads again as long as the server may come back, and turns refusals into one line.

    ``server_time`` is that of the newest answer, by the server's own clock. Until ``patient`` nothing is
    tried again: a wrong address is reported at once.
    """

    def __init__(self, url: str, timeout: float, ca: str | None) -> None:
        super().__init__(base_url=url, timeout=timeout, **network(url, ca))
        self.url, self.patient, self.server_time = url, True, ""
        self.renew: Callable[[], str] | None = None  # a personal token's next access token

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Return the answer; raises Interrupted where that to a write was lost, NotFound, TooLarge, Unauthorized or BadInput."""
        path = request.url.path
        is_read = request.method == "GET" or path.endswith(REFRESH)
        for left in range(READ_TRIES, 0, -1):
            tried = READ_TRIES - left
            last = left == 1 or not (is_read and self.patient)
            try:
                answer = super().send(request, **options)
            except httpx.TransportError as error:
                if not is_read and not isinstance(error, httpx.ConnectError):  # it was sent
                    raise Interrupted(
                        f"{self.url}: the answer to {request.method} {path} was lost"
                    ) from error
                if last:
                    raise BadInput(unreachable(self.url, error)) from error
            else:
                told = retry_after(answer) if left > 1 else None
                if told is not None:
                    print(
                        f"{self.url} asks to wait {told:.0f} s ({answer.status_code}) …",
                        file=sys.stderr,
                    )
                    time.sleep(told)
                    continue
                if not is_read and answer.status_code in (502, 504):
                    raise Interrupted(
                        f"{self.url}: {request.method} {path} was answered {answer.status_code} "
                        "by what stands before Label Studio"
                    )
                if answer.status_code < 500 or last:
                    break
            time.sleep(min(8.0, 0.5 * 2**tried))
        if answer.status_code == 401 and self.renew and not path.endswith(REFRESH):
            # By our clock the access token was still good, and by the server's it was not.
            request.headers["Authorization"] = f"Bearer {self.renew()}"
            answer = super().send(request, **options)
        if answer.status_code == 401:
            raise Unauthorized(
                f"{self.url} does not accept the token: expected one of its own in {TOKEN_VARIABLE} "
                "or a file, found another"
            )
        if answer.status_code >= 400:
            reason = " ".join(answer.text.split())[:300]
            kind = {404: NotFound, 413: TooLarge}.get(answer.status_code, BadInput)
            raise kind(
                f"{self.url}: {request.method} {path} was answered {answer.status_code}: {reason}"
            )
        if answer.content and "json" not in answer.headers.get("content-type", ""):
            raise BadInput(
                f"{self.url}{path}: expected Label Studio's JSON, found {answer.text[:60]!r}"
            )
        if "date" in answer.headers:
            self.server_time = iso(parsedate_to_datetime(answer.headers["date"]))
        return answer


def network(url: str, ca: str | None) -> dict[str, Any]:
    """Return httpx's settings for a server: the environment's proxies for a remote one only, and whom to trust.

    ``ca`` is a file of certificates (a private CA's, or the server's own where that is self-signed) to trust
    instead of SSL_CERT_FILE or the usual ones. Raises BadInput for one that cannot be read.
    """
    host = urlsplit(url).hostname or ""
    try:
        is_remote = not ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_remote = host != "localhost"
    try:
        verify = ssl.create_default_context(cafile=ca) if ca else httpx.create_ssl_context()
    except OSError as error:
        raise BadInput(f"labelstudio.ca: expected certificates in {ca}, found {error}") from error
    return {"trust_env": is_remote, "verify": verify}


def unreachable(url: str, error: httpx.TransportError) -> str:
    """Return why no server answers, with the cure."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"the certificate of {url} is not trusted ({error}): name the file of its CA, or of the "
            "certificate itself, as labelstudio.ca= or SSL_CERT_FILE"
        )
    return (
        f"no Label Studio answers at {url} ({error or type(error).__name__}): "
        "run `onrecord serve`, or give its address as labelstudio.url="
    )


def retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds to wait that a 429 or 503 asks for, as RFC 9110 (10.2.3) has them; None where none are.

    Such an answer says that nothing was done, so that a write may be sent again.
    """
    told = answer.headers.get("retry-after", "").strip()
    if answer.status_code not in (429, 503) or not (told or answer.status_code == 429):
        return None
    if not told or told.isdecimal():
        return min(float(told or 1), LONGEST_WAIT)
    try:
        seconds = (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 1.0
    return min(max(0.0, seconds), LONGEST_WAIT)


class LabelStudio:
    """One user's connection to a Label Studio; close it, or use it in a ``with`` block.

    ``sdk`` is Label Studio's own client. ``key`` names the server in what is kept about it: its address, or
    for the workspace's own (whose port changes) ``embedded-`` and a mark of its database.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        key: str | None = None,
        public: str | None = None,
        ca: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        self.url = url.rstrip("/")
        self.public = (public or self.url).rstrip("/")  # where people reach it
        self.key = key or self.url
        self.ca = ca
        self.http = Http(self.url, timeout, ca)
        self._token = token

    @cached_property
    def sdk(self) -> Any:
        """Label Studio's own client, with the token's refresh; raises Unauthorized for a token that has expired."""
        from label_studio_sdk.base_client import LabelStudioBase  # noqa: PLC0415 (see above)
        from label_studio_sdk.core.api_error import ApiError  # noqa: PLC0415

        try:  # it decodes the token; by the slash it finds the refresh below a path of the address
            sdk = LabelStudioBase(
                base_url=f"{self.url}/", api_key=self._token, httpx_client=self.http, max_retries=0
            )
        except ApiError as error:
            raise Unauthorized(
                f"{self.url}: the token in {TOKEN_VARIABLE} or a file has expired"
            ) from error
        tokens = sdk._client_wrapper._tokens_client
        if not tokens._use_legacy_token:
            self.http.renew = lambda: tokens.refresh().access
        return sdk

    def as_user(self, token: str) -> "LabelStudio":
        """Return another user's connection to the same server."""
        return LabelStudio(self.url, token, key=self.key, public=self.public, ca=self.ca)

    def __enter__(self) -> "LabelStudio":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def server_time(self) -> str:
        """The moment of the newest answer, by the server's own clock."""
        return self.http.server_time

    def get(self, path: str, *, missing: Any = None, **query: Any) -> Any:
        """Return the JSON at ``path``; ``missing`` where the server answers 404 and ``missing`` is given."""
        try:
            return self._raw("GET", path, params=query)
        except NotFound:
            if missing is None:
                raise
            return missing

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON answer to one write; raises Interrupted where the answer was lost."""
        return self._raw(method, path, json=body)

    def _raw(self, method: str, path: str, **options: Any) -> Any:
        if self._token.count(".") == 2:  # a personal token, a JWT: the SDK refreshes it
            headers = (
                self.sdk._client_wrapper.get_headers()
            )  # it has no public way to send another call
        else:
            headers = {"Authorization": f"Token {self._token}"}
        answer = self.http.request(method, path, headers=headers, **options)
        return answer.json() if answer.content else None

    def whoami(self) -> str:
        """Return the e-mail address of the token's owner."""
        found = self.get("/api/current-user/whoami")
        if not isinstance(found, dict) or "email" not in found:
            raise BadInput(f"{self.url} answers, but not as Label Studio does")
        return str(found["email"])

    def projects(self) -> list[Any]:
        """Return every project that the user sees, as the SDK's models."""
        found: list[Any] = []
        while len(found) % 100 == 0:
            try:
                page = self.sdk.projects.list(page=len(found) // 100 + 1, page_size=100)
            except NotFound:  # the page past the end
                break
            found += page.items
            if not page.items:
                break
        return found

    def tasks(
        self,
        project: int,
        *,
        fields: str = "task_only",
        include: str | None = None,
        filters: Sequence[Mapping[str, Any]] = (),
        page_size: int = PAGE,
    ) -> Iterator[RawTask]:
        """Yield the tasks of a project that pass every filter of Label Studio's data manager, by id.

        Raw, since the SDK's ``tasks.list`` returns times as datetimes and not as the server writes them, which
        the next pull compares, and takes twice the processor time (0.06 s for 0.03 s a page of ``task_only``).
        """
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
    """Return the filter for tasks changed after ``moment`` (ISO 8601): with an annotation added, changed or deleted."""
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


def connect(folder: Path, address: Address = OWN) -> LabelStudio:
    """Return a checked connection to the team's Label Studio, or to the workspace's own (in ``folder``).

    Raises BadInput where none runs, none answers or the token is not accepted.
    """
    if address.url:
        if urlsplit(address.url).scheme not in ("http", "https"):
            raise BadInput(
                f"labelstudio.url: expected http://… or https://…, found {address.url!r}"
            )
        token = token_from(os.environ, folder / "labelstudio" / "token")
        client = LabelStudio(address.url, token, public=address.public_url, ca=address.ca)
    else:
        own = server.running(folder)
        client = LabelStudio(own.url, own.token, key=own.key, public=own.public)
    client.http.patient = False
    client.whoami()
    client.http.patient = True
    if address.url:
        client.key = server_key(client, folder / "labelstudio" / "servers.json")
    return client


def server_key(client: LabelStudio, path: Path) -> str:
    """Return the name under which files of the workspace know a team's server: the first address it was seen at.

    A server is recognised by the moment at which its organization was made, which its database keeps
    whatever its address is later. ``path`` keeps the names.
    """
    known: dict[str, str] = read_json(path) if path.exists() else {}
    (first, *_) = client.get("/api/organizations/")
    mark = str(client.get(f"/api/organizations/{first['id']}").get("created_at"))
    if mark not in known and path.parents[1].is_dir():
        write_json(path, known | {mark: client.url})
    return known.get(mark, client.url)
