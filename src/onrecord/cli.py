"""
The command line: ``onrecord VERB [key=value ...]``, every verb a Hydra application.

Here are the table of verbs and what Hydra leaves rough: one line for an error, exit statuses, the near
miss of a typo, paths with brackets, and a folder's own ``conf/`` before the packaged one.
"""

import difflib
import importlib
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["HYDRA_FULL_ERROR"] = (
    "1"  # read by Hydra at import: exceptions reach us, we print one line
)

import hydra
import yaml
from hydra import compose
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from onrecord import ROOT
from onrecord.records import BadInput, CheckFailed


@dataclass(frozen=True)
class Verb:
    """One row of the table: where its ``main(cfg)`` is, the job it belongs to, and what it does."""

    module: str
    job: str
    help: str


CAMPAIGN = "Run an annotation campaign"
EXPERIMENT = "Run training experiments"
PUBLISH = "Publish the dataset"
WHOLE = "The whole way"

VERBS: dict[str, Verb] = {
    "ingest": Verb(
        "onrecord.corpus.ingest", CAMPAIGN, "read articles: txt, html, jsonl, csv, parquet"
    ),
    "segment": Verb(
        "onrecord.corpus.segment", CAMPAIGN, "split articles into sentences, offsets exact"
    ),
    "attribute": Verb("onrecord.corpus.attribute", CAMPAIGN, "suggest who speaks in each sentence"),
    "plan": Verb("onrecord.campaign.plan", CAMPAIGN, "decide who annotates what"),
    "serve": Verb("onrecord.campaign.server", CAMPAIGN, "start Label Studio (stop=true ends it)"),
    "launch": Verb("onrecord.campaign.launch", CAMPAIGN, "make the projects and tasks of the plan"),
    "status": Verb(
        "onrecord.campaign.status", CAMPAIGN, "progress per annotator, agreement so far"
    ),
    "collect": Verb(
        "onrecord.campaign.collect", CAMPAIGN, "bring the annotations back, losing none"
    ),
    "agree": Verb(
        "onrecord.campaign.agree", CAMPAIGN, "agreement with intervals; annotator reliability"
    ),
    "adjudicate": Verb(
        "onrecord.campaign.adjudicate", CAMPAIGN, "decide gold; settle what is in dispute"
    ),
    "build": Verb(
        "onrecord.dataset.build", EXPERIMENT, "gold to a dataset whose splits do not leak"
    ),
    "train": Verb("onrecord.experiment.train", EXPERIMENT, "fit a model, cross-validated by group"),
    "evaluate": Verb(
        "onrecord.experiment.evaluate", EXPERIMENT, "scores with intervals, as a report"
    ),
    "publish": Verb(
        "onrecord.dataset.publish", PUBLISH, "write a release: full, or without the text"
    ),
    "demo": Verb("onrecord.demo", WHOLE, "the whole way on a campaign that comes with labels"),
}

# Keys whose values are paths: quoted for Hydra, whose grammar gives brackets and commas a meaning.
PATH_KEYS = {
    "workspace",
    "articles",
    "rows",
    "run",
    "release",
    "annotations",
    "study",
    "from",
    "encoder",
}
PATH_LISTS = {"runs"}


class OwnConfFirst(SearchPathPlugin):
    """Put the current folder's ``conf/`` before the packaged one, so that its files win."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Prepend ``./conf`` to the ``main`` entry, once, if there is one that is not it."""
        own = Path.cwd() / "conf"
        if own.is_dir() and own.resolve() != (ROOT / "conf").resolve():
            search_path.prepend("onrecord-own", f"file://{own}", SearchPathQuery(provider="main"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit status: 0 done, 1 a check failed, 2 bad input."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(overview())
        return 0
    verb, overrides = arguments[0], arguments[1:]
    try:
        if verb not in VERBS:
            raise BadInput(f"there is no verb {verb!r}{near(verb, VERBS)}: `onrecord` lists them")
        run(verb, overrides)
    except BadInput as error:
        print(f"onrecord {verb}: {error}", file=sys.stderr)
        return 2
    except CheckFailed as error:
        print(f"onrecord {verb}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
        return 0
    except KeyboardInterrupt:
        print(f"onrecord {verb}: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


def overview() -> str:
    """Return the verbs, a line each, by the job that they belong to."""
    lines = ["onrecord VERB [key=value ...]   (onrecord VERB --help shows a verb's keys)"]
    for job in dict.fromkeys(verb.job for verb in VERBS.values()):
        lines += ["", job]
        lines += [f"  {name:<11} {verb.help}" for name, verb in VERBS.items() if verb.job == job]
    return "\n".join(lines)


def run(verb: str, overrides: Sequence[str]) -> None:
    """Run a verb under Hydra; bad configuration becomes BadInput with the near miss named."""
    if OwnConfFirst not in Plugins.instance().discover(SearchPathPlugin):
        Plugins.instance().register(OwnConfFirst)
    words = [quoted(word) for word in overrides]
    words += campaign_choices(verb, words)
    before, sys.argv = sys.argv, [f"onrecord {verb}", *words]
    try:
        hydra.main(version_base="1.3", config_path=str(ROOT / "conf"), config_name=verb)(
            task(verb)
        )()
    except (HydraException, OmegaConfBaseException) as error:
        raise BadInput(explain(verb, words, error)) from error
    finally:
        sys.argv = before


def call(verb: str, overrides: Sequence[str] = ()) -> None:
    """Run a verb from within another one (``demo``, ``make``), in this process."""
    words = [quoted(word) for word in overrides]
    task(verb)(compose(config_name=verb, overrides=words + campaign_choices(verb, words)))


def task(verb: str) -> Callable[[DictConfig], None]:
    """Return the verb's ``main(cfg)``."""
    function: Callable[[DictConfig], None] = importlib.import_module(VERBS[verb].module).main
    return function


def quoted(word: str) -> str:
    """
    Return an override with its path value quoted for Hydra's grammar.

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
    if "split" in given or found is None or "split" not in groups(verb):
        return []
    split = (load_yaml(found) or {}).get("split")
    return [f"split={split}"] if split else []


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


def near(word: str, known: Any) -> str:
    """
    Return ``; did you mean …?`` for the nearest known word, or nothing.

    >>> near("trian", ["train", "plan"])
    "; did you mean 'train'?"
    """
    match = difflib.get_close_matches(word, [str(k) for k in known], n=1, cutoff=0.6)
    return f"; did you mean '{match[0]}'?" if match else ""


def explain(verb: str, words: Sequence[str], error: Exception) -> str:
    """Return one line for a configuration error, naming the key or choice at fault and its near miss."""
    keys, choices = known_keys(verb)
    for word in words:
        if word.startswith("-") or "=" not in word:
            if not word.startswith("-"):
                return f"expected key=value, found {word!r}"
            continue
        try:
            override = OverridesParser.create().parse_override(word)
        except HydraException as bad:
            return f"cannot read {word!r}: {' '.join(str(bad).split())}"
        key = override.key_or_group
        if key in choices:
            for value in str(override.get_value_string()).split(","):
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


if __name__ == "__main__":
    sys.exit(main())
