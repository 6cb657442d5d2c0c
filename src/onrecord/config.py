"""What a verb's configuration rests on: paths quoted, a folder's own ``conf/`` first, near misses named.

Hydra leaves these rough: its grammar trips on brackets, its error for a typo fills a screen, and a
config group cannot be chosen from a value.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra import compose
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

from onrecord import ROOT
from onrecord.records import BadInput

# Keys whose values are paths: quoted for Hydra, whose grammar gives brackets and commas a meaning (`target` is free text).
PATH_KEYS = {
    "workspace", "articles", "rows", "run", "release", "annotations", "study", "from", "encoder", "target",
    "known", "predictions", "sidecar", "pilot",
    "cache", "data", "out", "sentences", "names",
}  # fmt: skip
PATH_LISTS = {"runs"}


class OwnConfFirst(SearchPathPlugin):
    """Put the current folder's ``conf/`` before the packaged one, so that its files win."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Prepend ``./conf`` to the ``main`` entry, once, if there is one that is not it."""
        own = Path.cwd() / "conf"
        if own.is_dir() and own.resolve() != (ROOT / "conf").resolve():
            search_path.prepend("onrecord-own", f"file://{own}", SearchPathQuery(provider="main"))


def own_conf_first() -> None:
    """Register the plugin, once: Hydra would otherwise look for it in a package of a fixed name."""
    if OwnConfFirst not in Plugins.instance().discover(SearchPathPlugin):
        Plugins.instance().register(OwnConfFirst)


def quoted(word: str) -> str:
    """Return an override with its path value quoted for Hydra's grammar.

    >>> quoted("articles=my [old] folder, 2")
    "articles='my [old] folder, 2'"
    >>> quoted("runs=a,b")
    "runs=['a','b']"
    >>> quoted("model=majority,tfidf_svm")
    'model=majority,tfidf_svm'
    """
    key, equals, value = word.partition("=")
    if not equals or not value or value[0] in "'\"" or value == "null":
        return word
    if key in PATH_LISTS and not value.startswith("["):
        return f"{key}=[{','.join(_quote(part) for part in value.split(','))}]"
    return f"{key}={_quote(value)}" if key in PATH_KEYS else word


def _quote(value: str) -> str:
    escaped = re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
    return f"'{escaped}'"


def config_folders() -> list[Path]:
    """Return the folders that configs are looked up in, the current folder's own first."""
    return [f for f in (Path.cwd() / "conf", ROOT / "conf") if f.is_dir()]


def campaign_choices(verb: str, words: Sequence[str]) -> list[str]:
    """Return the overrides that a campaign's file implies: Hydra cannot choose a group from a value."""
    given = dict(word.partition("=")[::2] for word in words)
    name = given.get("campaign", "sample")
    files = [f / "campaign" / f"{name}.yaml" for f in config_folders()]
    found = next((f for f in files if f.is_file()), None)
    if found is None:
        return []
    check_campaign(found)
    if "split" in given or "split" not in groups(verb):
        return []
    split = (load_yaml(found) or {}).get("split")
    return [f"split={split}"] if split else []


def check_campaign(path: Path) -> None:
    """Raise BadInput naming file, line and near miss of a key that no campaign has, at any depth."""
    load_yaml(path)
    with path.open(encoding="utf-8") as file:
        _check_keys(yaml.compose(file), load_yaml(ROOT / "conf/base.yaml")["campaign"], path)


def _check_keys(node: Any, known: dict[str, Any], path: Path) -> None:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else []:
        if key.value not in known:
            raise BadInput(
                f"{path}, line {key.start_mark.line + 1}: there is no key {key.value!r}"
                f"{near(key.value, known)}"
            )
        if isinstance(known[key.value], dict):
            _check_keys(value, known[key.value], path)


def load_yaml(path: Path) -> Any:
    """Return a YAML file's content; raises BadInput with file and line where it is not YAML."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected YAML, found {' '.join(str(error).split())}") from error


def groups(verb: str) -> set[str]:
    """Return the config groups that a verb chooses from, as its file's defaults list names them."""
    file = next(p for f in config_folders() if (p := f / f"{verb}.yaml").is_file())
    entries = (load_yaml(file) or {}).get("defaults", [])
    return {
        key.split()[-1].lstrip("/") for entry in entries if isinstance(entry, dict) for key in entry
    }


def near(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean …?`` for the nearest known word, or nothing.

    >>> near("trian", ["train", "plan"])
    "; did you mean 'train'?"
    """
    match = difflib.get_close_matches(word, [str(k) for k in known], n=1, cutoff=0.6)
    return f"; did you mean '{match[0]}'?" if match else ""


def explain(verb: str, words: Sequence[str], error: Exception) -> str:
    """Return one line for a configuration error, naming the key or choice at fault and its near miss."""
    keys, choices = known_keys(verb)
    for before, word in zip(["", *words], words, strict=False):
        if word.startswith("-") or (before.startswith("-") and "=" not in word):
            continue  # a flag, or a flag's value (--cfg job)
        if "=" not in word:
            return f"expected key=value, found {word!r}"
        try:
            override = OverridesParser.create().parse_override(word)
        except HydraException as bad:
            return f"cannot read {word!r}: {' '.join(str(bad).split())}"
        key = override.key_or_group
        if key in choices:
            for value in str(override.get_value_string()).strip("[]").split(","):
                if value not in choices[key] and value != "null":
                    return (
                        f"{key}={value}: expected one of {', '.join(choices[key])}"
                        f"{near(value, choices[key])}"
                    )
        elif key not in keys and not key.startswith("hydra"):
            return f"there is no key {key!r}{near(key, [*keys, *choices])}"
    return " ".join(str(error).split())


def known_keys(verb: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the keys that a verb takes, dotted, and its groups with the names to choose from."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        keys = list(_dotted(OmegaConf.to_container(compose(config_name=verb), resolve=False)))
    choices = {
        group: sorted({p.stem for f in config_folders() for p in (f / group).glob("*.yaml")})
        for group in groups(verb)
    }
    return keys, choices


def _dotted(node: Any, prefix: str = "") -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from _dotted(value, f"{prefix}{key}.")
