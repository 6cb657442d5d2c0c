"""What ``onrecord VERB --help`` prints: the verb's keys with their comments, as its config file has them."""

import re

from onrecord import ROOT
from onrecord.cli.overrides import entries, groups


def manual(verb: str, purpose: str) -> str:
    """Return a verb's page: what it does, its keys, what it chooses from, and the keys of every verb.

    >>> page = manual("segment", "split articles")
    >>> page.splitlines()[0]
    'onrecord segment [key=value ...]: split articles'
    >>> "shard_size: 1000" in page and "workspace: data/" in page
    True
    """
    about, own = keys_of(verb)
    parts = [f"onrecord {verb} [key=value ...]: {purpose}", about, own]
    chosen = sorted(groups(verb) & {path.name for path in (ROOT / "conf").iterdir()} - {"hydra"})
    if chosen:
        parts.append(
            "\n".join(["Chosen by name:"] + [f"  {g}={'|'.join(entries(g))}" for g in chosen])
        )
    if verb != "init":
        parts.append(f"Keys of every verb:\n\n{keys_of('base')[1]}")
    parts.append("See the config without running: --cfg job. Sweep: -m model=majority,tfidf_logreg")
    return "\n\n".join(part for part in parts if part)


def keys_of(verb: str) -> tuple[str, str]:
    """Return the opening comment of a verb's config file, and its keys as they stand there with comments."""
    text = (ROOT / "conf" / f"{verb}.yaml").read_text(encoding="utf-8")
    about, _, rest = text.partition("defaults:\n")
    keys = re.sub(r"^(?:[ ]*-.*\n)+", "", rest)
    keys = re.split(r"^hydra:", keys, flags=re.MULTILINE)[0]
    said = [line.lstrip("# ") for line in about.splitlines() if line.startswith("#")]
    return "\n".join(said), keys.strip("\n")
