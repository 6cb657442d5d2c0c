"""The command line: ``onrecord VERB [key=value ...]``, every verb a Hydra application.

Here are the table of verbs, exit statuses and one line for every error; ``config`` has what goes before.
"""

import importlib
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Read by Hydra at import: exceptions then reach us, and we print one line.
os.environ["HYDRA_FULL_ERROR"] = "1"
# Read by Arrow at import, in worker processes too: its own allocators keep what was freed, 100 MB of it.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

import hydra
import pyarrow as pa
from hydra import compose
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from onrecord import ROOT
from onrecord.cli.manual import manual
from onrecord.cli.overrides import (
    campaign_choices,
    check_flags,
    check_words,
    explain,
    near,
    own_conf_first,
    quoted,
)
from onrecord.cli.pipeline import STEPS, own_words, record, states
from onrecord.core.errors import BadInput, CheckFailed


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
    "init": Verb("onrecord.cli.init", CAMPAIGN, 'a new campaign here: campaign=NAME target="…"'),
    "validate": Verb(
        "onrecord.cli.validate", CAMPAIGN, "is the campaign sound before anyone annotates?"
    ),
    "ingest": Verb(
        "onrecord.corpus.ingest", CAMPAIGN, "read articles: txt, html, jsonl, csv, parquet"
    ),
    "segment": Verb(
        "onrecord.corpus.segment", CAMPAIGN, "split articles into sentences, offsets exact"
    ),
    "attribute": Verb("onrecord.corpus.attribute", CAMPAIGN, "suggest who speaks in each sentence"),
    "plan": Verb("onrecord.campaign.plan", CAMPAIGN, "decide who annotates what"),
    "serve": Verb("onrecord.campaign.serve", CAMPAIGN, "start Label Studio (stop=true ends it)"),
    "launch": Verb("onrecord.campaign.launch", CAMPAIGN, "make the projects and tasks of the plan"),
    "status": Verb(
        "onrecord.campaign.status", CAMPAIGN, "progress per annotator, agreement so far"
    ),
    "collect": Verb(
        "onrecord.campaign.collect", CAMPAIGN, "bring the annotations back, losing none"
    ),
    "scheme": Verb(
        "onrecord.scheme.migrations",
        CAMPAIGN,
        "what changed between two versions of the label scheme",
    ),
    "agree": Verb(
        "onrecord.campaign.agree", CAMPAIGN, "agreement with intervals; annotator reliability"
    ),
    "adjudicate": Verb(
        "onrecord.campaign.adjudicate", CAMPAIGN, "decide gold; settle what is in dispute"
    ),
    "view": Verb("onrecord.cli.view", CAMPAIGN, "each article with speakers and stances coloured"),
    "build": Verb(
        "onrecord.dataset.build", EXPERIMENT, "gold to a dataset whose splits do not leak"
    ),
    "train": Verb("onrecord.experiment.train", EXPERIMENT, "fit a model, cross-validated by group"),
    "evaluate": Verb(
        "onrecord.experiment.evaluate", EXPERIMENT, "scores with intervals, as a report"
    ),
    "compare": Verb("onrecord.experiment.compare", EXPERIMENT, "runs side by side: runs=A,B"),
    "curve": Verb("onrecord.experiment.curve", EXPERIMENT, "what more sentences would give"),
    "predict": Verb(
        "onrecord.experiment.predict", EXPERIMENT, "label all sentences; how common each label is"
    ),
    "suspects": Verb(
        "onrecord.experiment.label_errors", EXPERIMENT, "gold labels that are probably wrong"
    ),
    "reproduce": Verb(
        "onrecord.experiment.reproduce", EXPERIMENT, "run a committed study again: study=DIR"
    ),
    "publish": Verb(
        "onrecord.dataset.publish", PUBLISH, "write a release: full, or without the text"
    ),
    "rehydrate": Verb(
        "onrecord.dataset.rehydrate", PUBLISH, "put the text back into a stand-off release"
    ),
    "make": Verb("onrecord.cli.make", WHOLE, "run the steps that are stale, as far as until=VERB"),
    "demo": Verb("onrecord.cli.demo", WHOLE, "the whole way on a campaign that comes with labels"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit status: 0 done, 1 a check failed, 2 bad input."""
    arguments = list(sys.argv[1:] if argv is None else argv) or ["help"]
    verb, overrides = arguments[0], arguments[1:]
    try:
        if verb in {"-h", "--help", "help"}:
            print(overview())
            return 0
        if {"-h", "--help"} & {*overrides} and verb in VERBS:
            print(manual(verb, VERBS[verb].help))
            return 0
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
    except (
        OSError,
        pa.ArrowException,
    ) as error:  # a folder of no rights, a full disk, a broken table
        if isinstance(error, OSError) and error.errno is None:
            raise
        what = "" if isinstance(error, OSError) else "a file of the workspace cannot be read: "
        print(f"onrecord {verb}: {what}{' '.join(str(error).split())}", file=sys.stderr)
        return 2
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
    stand = sorted(p.parent for p in Path("data").glob("*/.steps.json"))
    if not stand:
        lines += [
            "",
            "Nothing has been run here yet: start with `onrecord demo` or `onrecord init`",
        ]
    for workspace in stand:
        found = states(workspace)
        lines += ["", f"Where {workspace} stands"]
        for name in ("done", "stale"):
            if verbs := [verb for verb, now in found.items() if now == name]:
                lines.append(f"  {name:<11} {', '.join(verbs)}")
        if ahead := [verb for verb, now in found.items() if now != "done"]:
            lines.append(f"  {'next':<11} onrecord {ahead[0]} {' '.join(own_words(workspace))}")
    return "\n".join(lines)


def run(verb: str, overrides: Sequence[str]) -> None:
    """Run a verb under Hydra; bad configuration becomes BadInput with the near miss named."""
    own_conf_first()
    if verb == "init":  # its campaign is a new name, which Hydra would look up in the group
        overrides = [re.sub("^campaign=", "name=", word) for word in overrides]
    check_flags(overrides)
    words = [quoted(word) for word in overrides]
    words += campaign_choices(verb, words)
    words.sort(key=lambda word: "=" in word and not word.startswith("-"))  # argparse: flags first
    failures: list[Exception] = []
    home = os.getpid()

    def contained(cfg: DictConfig) -> None:
        try:
            check_words(verb, words, cfg)
            task(verb, overrides)(cfg)
        except Exception as error:  # kept from Hydra, which would print its own lines around ours
            if os.getpid() != home:  # a sweep's worker process: Hydra brings the error home
                raise
            failures.append(error)

    before, sys.argv = sys.argv, [f"onrecord {verb}", *words]
    try:
        hydra.main(version_base="1.3", config_path=str(ROOT / "conf"), config_name=verb)(
            contained
        )()
        if failures:
            raise failures[0]
    except MissingMandatoryValue as error:
        raise BadInput(f"expected {error.full_key}=…, found no value") from error
    except (HydraException, OmegaConfBaseException) as error:
        raise BadInput(explain(verb, words, error)) from error
    finally:
        sys.argv = before


def call(verb: str, overrides: Sequence[str] = ()) -> Any:
    """Run a verb from within another one (``demo``, ``make``), in this process; return what it returns."""
    return task(verb, overrides)(composed(verb, overrides))


def composed(verb: str, overrides: Sequence[str]) -> DictConfig:
    """Return a verb's config, from within another verb."""
    words = [quoted(word) for word in overrides]
    return compose(config_name=verb, overrides=words + campaign_choices(verb, words))


def plain(config: DictConfig) -> dict[str, Any]:
    """Return a config as plain values, resolved."""
    container: Any = OmegaConf.to_container(config, resolve=True)
    return {str(key): value for key, value in container.items()}


def task(verb: str, words: Sequence[str]) -> Callable[[DictConfig], Any]:
    """Return the verb's ``main(cfg)``, after which a step's content and its words are remembered."""
    function = importlib.import_module(VERBS[verb].module).main
    step = next((step for step in STEPS if step.verb == verb), None)
    if step is None:
        return function  # type: ignore[no-any-return]

    def run_and_record(cfg: DictConfig) -> Any:
        result = function(cfg)
        record(
            step, Path(cfg.workspace), plain(cfg), () if {"-m", "--multirun"} & {*words} else words
        )
        return result

    return run_and_record


if __name__ == "__main__":
    sys.exit(main())
