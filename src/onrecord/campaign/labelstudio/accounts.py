"""Annotators' accounts on Label Studio: made through the invite link, kept in a file that only its owner reads.

Community has no roles: an account is for who did what, not a wall. Label Studio's API can make a user but
not a password, so each account signs up as a person would.
"""

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NotRequired

import httpx

from onrecord.campaign.backend import Login
from onrecord.campaign.labelstudio.client import LabelStudio, Unauthorized, network
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, write_text

MAX_LOGINS = 9  # of one annotator on one server


class Account(Login):
    """An annotator's login with its token. ``user_id`` is what ``completed_by`` of an annotation names.

    ``former`` are the users of this annotator's earlier logins there, whose answers are theirs too.
    """

    token: str
    former: NotRequired[list[int]]


def users(account: Account) -> list[int]:
    """Return the numbers of the users that are an annotator on the server, the present one first."""
    return [account["user_id"], *account.get("former", ())]


def email_of(annotator: str, campaign: str) -> str:
    """Return the login of an annotator: no real address, since nothing is ever sent to it.

    >>> email_of("annotator-1", "sample")
    'annotator-1.sample@localhost'
    """
    plain = re.sub(r"[^a-z0-9._+-]", "-", annotator.lower())
    return f"{plain}.{re.sub(r'[^a-z0-9-]', '-', campaign.lower())}@localhost"


def ensure_accounts(
    client: LabelStudio, annotators: Iterable[str], campaign: str, path: Path
) -> dict[str, Account]:
    """Return ``annotator → account`` for each of ``annotators``, signing up those that the server does not know.

    ``path`` keeps the logins of every server that the campaign was launched on, mode 0600. Where the server knows
    a login whose password is in no file here, the annotator gets another one, and that one's answers stay theirs.
    """
    kept: dict[str, dict[str, Account]] = read_json(path) if path.exists() else {}
    mine = kept.setdefault(client.key, {})
    for annotator in annotators:
        kept_login = mine.get(annotator)
        if kept_login and accepted(client, kept_login["token"]):
            continue
        account = Account(
            annotator=annotator,
            email=kept_login["email"] if kept_login else email_of(annotator, campaign),
            password=kept_login["password"] if kept_login else secrets.token_urlsafe(9),
            token="",
            user_id=0,
        )
        former = kept_login.get("former", []) if kept_login else []
        for number in range(2, MAX_LOGINS):
            # Kept before the server hears of it: a password lost in between would lock the login.
            mine[annotator] = {**(kept_login or account), **account}
            save(path, kept)
            found = sign_in(client, account["email"], account["password"])
            if found:
                account["token"], account["user_id"] = found
                break
            former = [*former, *user_of(client, account["email"])]
            plain, _, host = email_of(annotator, campaign).partition("@")
            account |= {"email": f"{plain}.{number}@{host}", "password": secrets.token_urlsafe(9)}
        else:
            raise BadInput(f"{client.url} lets {account['email']} neither sign up nor log in")
        if former:
            account["former"] = former
        mine[annotator] = {**(kept_login or account), **account}
        save(path, kept)
    return dict(mine)


def mark(
    path: Path, server: str, annotator: str, *, origin: str, guidelines_version: str | None = None
) -> None:
    """Keep that no person enters an account's labels, and the guidelines that these were made under."""
    kept: dict[str, dict[str, Account]] = read_json(path)
    kept[server][annotator]["origin"] = origin
    if guidelines_version:
        kept[server][annotator]["guidelines_version"] = guidelines_version
    save(path, kept)


def kept_accounts(path: Path, server: str) -> dict[str, Account]:
    """Return the accounts of a server; none where there is no file."""
    return dict(read_json(path).get(server, {})) if path.exists() else {}


def save(path: Path, kept: Mapping[str, Mapping[str, Account]]) -> None:
    """Write the logins so that only their owner may read them, from the first byte on."""
    write_text(path, json.dumps(kept, indent=2, ensure_ascii=False) + "\n", mode=0o600)


def accepted(client: LabelStudio, token: str) -> bool:
    """Return whether the server accepts the token."""
    try:
        with client.as_user(token) as own:
            return bool(token and own.whoami())
    except Unauthorized:
        return False


def user_of(client: LabelStudio, email: str) -> list[int]:
    """Return the number of the user with an e-mail address, if there is one."""
    return [user["id"] for user in client.get("/api/users/") if user["email"] == email]


def sign_in(client: LabelStudio, email: str, password: str) -> tuple[str, int] | None:
    """Sign a login up by the invite link, or log it in where it exists; return its token and user id, None if refused.

    These are pages for people: neither the API nor the SDK can set a password or read the invite link's form.
    """
    invite = client.get("/api/invite")["invite_url"]
    invite = invite[invite.index("/user/") :]  # our address has the path below which the server is
    with httpx.Client(
        base_url=client.url, timeout=60, follow_redirects=True, **network(client.url, client.ca)
    ) as browser:
        form = {"email": email, "password": password, "allow_newsletters": "false"}
        for page in (invite, "/user/login/"):
            found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(page).text)
            if not found:
                raise BadInput(
                    f"{client.url}{page.split('?')[0]}: expected Label Studio's form, found none"
                )
            browser.post(
                page,
                data={**form, "csrfmiddlewaretoken": found[1]},
                headers={"Referer": client.url + page},
            )
            who = browser.get("/api/current-user/whoami")
            if who.status_code == 200 and who.json().get("email") == email:
                return _own_token(browser), int(who.json()["id"])
    return None


def _own_token(browser: httpx.Client) -> str:
    """Return the token of who is logged in: the legacy one, or a personal one where those are switched off."""
    legacy = browser.get("/api/current-user/token")
    if legacy.status_code == 200 and browser.get("/api/jwt/settings").json().get(
        "legacy_api_tokens_enabled", True
    ):
        return str(legacy.json()["token"])
    personal = browser.post(
        "/api/token/",
        headers={"X-CSRFToken": browser.cookies["csrftoken"], "Referer": str(browser.base_url)},
    )
    return str(personal.json()["token"]) if personal.status_code < 300 else ""
