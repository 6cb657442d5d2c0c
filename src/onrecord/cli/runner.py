"""Run one command: under Hydra as the command line gives it, or from within another command."""

import importlib
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from onrecord import ROOT
from onrecord.cli.commands import COMMANDS
from onrecord.cli.model_files import drop_inherited_options, full_model_key
from onrecord.cli.overrides import (
    campaign_choices,
    check_flags,
    check_overrides,
    explain,
    local_conf_first,
    quoted,
)
from onrecord.cli.pipeline import record_run, refuse_stale_input
from onrecord.core.errors import BadInput
from onrecord.core.workspace import Workspace


def run(command: str, overrides: Sequence[str]) -> None:
    """Run a command under Hydra; bad configuration becomes BadInput with the nearest known name."""
    local_conf_first()
    if command == "init":  # its campaign is a new name, which Hydra would look up in the group
        overrides = [re.sub("^campaign=", "name=", override) for override in overrides]
    check_flags(overrides)
    arguments = [full_model_key(quoted(override)) for override in overrides]
    arguments += campaign_choices(command, arguments)
    arguments.sort(key=lambda a: "=" in a and not a.startswith("-"))  # argparse: flags first
    failures: list[Exception] = []
    main_process = os.getpid()

    def contained(cfg: DictConfig) -> None:
        try:
            check_overrides(command, arguments, cfg)
            drop_inherited_options(cfg, HydraConfig.get().runtime.choices.get("model"), arguments)
            task(command, overrides)(cfg)
        except Exception as error:  # kept from Hydra, which would print its own lines around ours
            if os.getpid() != main_process:  # a sweep's worker process: Hydra returns the error
                raise
            failures.append(error)

    before, sys.argv = sys.argv, [f"onrecord {command}", *arguments]
    try:
        hydra.main(version_base="1.3", config_path=str(ROOT / "conf"), config_name=command)(
            contained
        )()
        if failures:
            raise failures[0]
    except MissingMandatoryValue as error:
        raise BadInput(f"expected {error.full_key}=…, found no value") from error
    except (HydraException, OmegaConfBaseException) as error:
        raise BadInput(explain(command, arguments, error)) from error
    finally:
        sys.argv = before


def call(command: str, overrides: Sequence[str] = ()) -> Any:
    """Run a command from within another one (``demo``, ``make``), in this process; return its result."""
    return task(command, overrides)(composed(command, overrides))


def composed(command: str, overrides: Sequence[str]) -> DictConfig:
    """Return a command's config, from within another command."""
    given = [full_model_key(quoted(override)) for override in overrides]
    cfg = compose(config_name=command, overrides=given + campaign_choices(command, given))
    model = next((word.removeprefix("model=") for word in given if word.startswith("model=")), None)
    drop_inherited_options(cfg, model, given)
    return cfg


def plain(config: DictConfig) -> dict[str, Any]:
    """Return a config as plain values, resolved."""
    container: Any = OmegaConf.to_container(config, resolve=True)
    return {str(key): value for key, value in container.items()}


def task(command: str, overrides: Sequence[str]) -> Callable[[DictConfig], Any]:
    """Return the command's ``main(cfg)``, which refuses stale input; a step then records its content and overrides."""
    row = COMMANDS[command]
    function = importlib.import_module(row.module).main
    sweep = bool({"-m", "--multirun"} & {*overrides})

    def run_and_record(cfg: DictConfig) -> Any:
        if cfg.get("stale") not in (None, "ok"):
            raise BadInput(f"stale={cfg.stale}: expected ok")
        if row.reads and not cfg.get("stale"):
            refuse_stale_input(row, Workspace(Path(cfg.workspace)), cfg.campaign.name, overrides)
        result = function(cfg)
        if row.step:
            record_run(row, Workspace(Path(cfg.workspace)), plain(cfg), () if sweep else overrides)
        return result

    return run_and_record
