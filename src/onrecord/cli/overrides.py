"""Prepare and check a command's overrides: quote paths, put the local ``conf/`` first, name the nearest key.

Hydra does not do this: its grammar trips on brackets, its error for a typo fills a screen, and a
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
from hydra._internal.utils import get_args_parser
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from onrecord import ROOT
from onrecord.core.errors import BadInput
from onrecord.core.records import ORIGINS

# Keys whose values are paths: quoted for Hydra, whose grammar gives brackets and commas a meaning (`target` is free text).
PATH_KEYS = {
    "workspace", "articles", "rows", "run", "release", "annotations", "study", "from", "encoder", "target",
    "known", "predictions", "sidecar", "pilot",
    "cache", "data", "out", "sentences", "names",
}  # fmt: skip
PATH_LISTS = {"runs", "by", "covariates"}
CAMPAIGN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ONE_OF = {
    "campaign.origin": ORIGINS,
    "campaign.release": ("full", "standoff"),
}
ONE_OR_MORE = {
    "replicates",
    "repeats",
    "most",
    "limit",
    "overlap",
    "workers",
    "shard_size",
    "watch",
}


class LocalConfFirst(SearchPathPlugin):
    """Put the current folder's ``conf/`` before the packaged one, so that its files win."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Prepend ``./conf`` to the ``main`` entry, once, if there is one that is not it."""
        local = Path.cwd() / "conf"
        if local.is_dir() and local.resolve() != (ROOT / "conf").resolve():
            search_path.prepend(
                "onrecord-local", f"file://{local}", SearchPathQuery(provider="main")
            )


def local_conf_first() -> None:
    """Register the plugin, once: Hydra would otherwise look for it in a package of a fixed name."""
    if LocalConfFirst not in Plugins.instance().discover(SearchPathPlugin):
        Plugins.instance().register(LocalConfFirst)


def quoted(override: str) -> str:
    """Return an override with its path value quoted for Hydra's grammar.

    >>> quoted("articles=my [old] folder, 2")
    "articles='my [old] folder, 2'"
    >>> quoted("runs=a,b")
    "runs=['a','b']"
    >>> quoted("model=majority,tfidf_svm")
    'model=majority,tfidf_svm'
    """
    key, equals, value = override.partition("=")
    if not equals or not value or value[0] in "'\"" or value == "null":
        return override
    if key in PATH_LISTS and not value.startswith("["):
        return f"{key}=[{','.join(_quote(part) for part in value.split(','))}]"
    return f"{key}={_quote(value)}" if key in PATH_KEYS else override


def _quote(value: str) -> str:
    escaped = re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
    return f"'{escaped}'"


def config_folders() -> list[Path]:
    """Return the folders that configs are looked up in, the current folder's first."""
    return [f for f in (Path.cwd() / "conf", ROOT / "conf") if f.is_dir()]


def campaign_choices(command: str, overrides: Sequence[str]) -> list[str]:
    """Return the overrides that a campaign's file implies: Hydra cannot choose a group from a value."""
    given = dict(override.partition("=")[::2] for override in overrides)
    name = given.get("campaign", "sample")
    files = [f / "campaign" / f"{name}.yaml" for f in config_folders()]
    found = next((f for f in files if f.is_file()), None)
    if found is None:
        return []
    check_campaign(found)
    if "split" in given or "split" not in groups(command):
        return []
    split = (load_yaml(found) or {}).get("split")
    return [f"split={split}"] if split else []


def check_campaign(path: Path) -> None:
    """Raise BadInput naming file and line of an unknown key, at any depth, or of an invalid value."""
    found = load_yaml(path)
    if not isinstance(found, dict | None):
        raise BadInput(
            f"{path}: expected keys and values, such as `name: buses`, found {found!r:.60}"
        )
    with path.open(encoding="utf-8") as file:
        _check_keys(yaml.compose(file), found or {}, declared("base")["campaign"], path, "campaign")


def _check_keys(node: Any, values: Any, known: dict[str, Any], path: Path, at: str) -> None:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else []:
        line = f"{path}, line {key.start_mark.line + 1}"
        if key.value not in known:
            raise BadInput(f"{line}: there is no key {key.value!r}{did_you_mean(key.value, known)}")
        dotted = f"{at}.{key.value}"
        check_value(f"{line}: {key.value}", dotted, known[key.value], values[key.value])
        if key.value == "targets" and isinstance(value, yaml.MappingNode):
            # under ids of their own, with the keys of `target`
            for (_, node_of_one), one in zip(value.value, values["targets"].values(), strict=True):
                _check_keys(node_of_one, one, known["target"], path, f"{at}.target")
        elif isinstance(known[key.value], dict):
            _check_keys(value, values[key.value], known[key.value], path, dotted)


def check_value(where: str, key: str, default: Any, found: Any) -> None:
    """Raise BadInput where a value is invalid for its dotted key, judged by the declared default.

    >>> check_value("seed", "seed", 1, "abc")
    Traceback (most recent call last):
    onrecord.core.errors.BadInput: seed: expected a number, found 'abc'
    """
    wanted = None
    if found is None:
        return
    choices = entries("split") if key == "campaign.split" else ONE_OF.get(key, ())
    if choices and found not in choices:
        wanted = f"one of {', '.join(choices)}"
    elif key == "campaign.name" and not CAMPAIGN_NAME.fullmatch(str(found)):
        wanted = "letters, digits, `.`, `_` or `-`, at most 64"
    elif key in ONE_OR_MORE and (not isinstance(found, int | float) or found <= 0):
        wanted = "a number above 0"
    elif key == "workspace" and not found:
        wanted = "a folder"
    elif key == "minimum" and not isinstance(found, int | float):
        wanted = "a number"
    elif isinstance(default, dict) and not isinstance(found, dict):
        wanted = f"keys of its own ({', '.join(default) or 'an id each'})"
    elif isinstance(default, list) and not isinstance(found, list):
        wanted = "a list, such as [one, two]"
    elif isinstance(default, bool) and not isinstance(found, bool):
        wanted = "true or false"
    elif isinstance(default, int | float) and isinstance(found, str):
        wanted = "a number" if key != "annotators" else "a number or a list of pseudonyms"
    if wanted:
        raise BadInput(f"{where}: expected {wanted}, found {found!r}")


def check_flags(overrides: Sequence[str]) -> None:
    """Raise BadInput for a flag that Hydra does not know: it would answer with a screen of usage."""
    known = {flag for action in get_args_parser()._actions for flag in action.option_strings}
    for override in overrides:
        flag = override.partition("=")[0]
        if override.startswith("--") and flag not in known:
            raise BadInput(
                f"there is no flag {flag!r}{did_you_mean(flag, known)}: keys are given as key=value"
            )


def check_overrides(command: str, overrides: Sequence[str], config: DictConfig) -> None:
    """Raise BadInput where an override gives a key an invalid value (``workers=many``)."""
    defaults = OmegaConf.create(declared("base") | declared(command))
    for key in [override.partition("=")[0] for override in overrides if "=" in override]:
        if re.fullmatch(r"[\w.]+", key):
            default, found = (
                OmegaConf.to_container(one) if OmegaConf.is_config(one) else one
                for one in (_at(defaults, key), _at(config, key))
            )
            check_value(key, key, default, found)


def _at(config: DictConfig, key: str) -> Any:
    """Return the value at a dotted key as it is written, or None where there is none."""
    node: Any = config
    for part in key.split("."):
        if not isinstance(node, DictConfig) or part not in node or OmegaConf.is_missing(node, part):
            return None
        node = None if OmegaConf.is_interpolation(node, part) else node[part]
    return node


def config_file(command: str) -> Path:
    """Return a command's config file: the local one where there is one, else the packaged one."""
    return next(p for f in config_folders() if (p := f / f"{command}.yaml").is_file())


def declared(command: str) -> dict[str, Any]:
    """Return a command's config file as plain values, without its groups."""
    found: dict[str, Any] = load_yaml(config_file(command)) or {}
    return found


def load_yaml(path: Path) -> Any:
    """Return a YAML file's content; raises BadInput with file and line where it is not YAML."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected YAML, found {' '.join(str(error).split())}") from error


def groups(command: str) -> set[str]:
    """Return the config groups that a command chooses from, as its file's defaults list names them."""
    choices = [one for one in declared(command).get("defaults", []) if isinstance(one, dict)]
    found = {key.split()[-1].lstrip("/") for one in choices for key in one}
    return found | ({"features", "classifier"} if "model" in found else set())  # parts of a model


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean …?`` for the nearest known name, or nothing.

    >>> did_you_mean("trian", ["train", "plan"])
    "; did you mean 'train'?"
    """
    match = difflib.get_close_matches(name, [str(k) for k in known], n=1, cutoff=0.6)
    return f"; did you mean '{match[0]}'?" if match else ""


def explain(command: str, overrides: Sequence[str], error: Exception) -> str:
    """Return one line for a configuration error, naming the wrong key or choice and the nearest known one."""
    keys, choices = known_keys(command)
    for before, override in zip(["", *overrides], overrides, strict=False):
        if override.startswith("-") or (before.startswith("-") and "=" not in override):
            continue  # a flag, or a flag's value (--cfg job)
        if "=" not in override:
            return f"expected key=value, found {override!r}"
        try:
            parsed = OverridesParser.create().parse_override(override)
        except HydraException as bad:
            return f"cannot read {override!r}: {' '.join(str(bad).split())}"
        key = parsed.key_or_group
        if key == "hydra/launcher" and "Could not find" in str(error):
            return f"{override}: no such launcher is installed: pip install 'onrecord[sweeps]' brings joblib and submitit"
        if key in choices:
            for value in str(parsed.get_value_string()).strip("[]").split(","):
                if value not in choices[key] and value != "null":
                    return (
                        f"{key}={value}: expected one of {', '.join(choices[key])}"
                        f"{did_you_mean(value, choices[key])}"
                    )
        elif key not in keys and not key.startswith("hydra"):
            return f"there is no key {key!r}{did_you_mean(key, [*keys, *choices])}"
    return " ".join(str(error).split())


def known_keys(command: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the keys that a command takes, dotted, and its groups with the names to choose from."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        keys = list(_dotted(OmegaConf.to_container(compose(config_name=command), resolve=False)))
    return keys, {group: entries(group) for group in groups(command)}


def entries(group: str) -> list[str]:
    """Return the names to choose from in a config group."""
    return sorted({p.stem for f in config_folders() for p in (f / group).glob("*.yaml")})


def _dotted(node: Any, prefix: str = "") -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from _dotted(value, f"{prefix}{key}.")
