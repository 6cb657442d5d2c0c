"""A model by one file of ``conf/model/``: short names for its parts, and what it takes from the file it extends."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from onrecord.cli.overrides import config_folders, load_yaml
from onrecord.core.errors import BadInput

Layer = Mapping[str, Any]


def full_model_key(override: str) -> str:
    """Return an override of a model's part as Hydra needs it: options may be new, and groups have an address.

    >>> full_model_key("classifier.C=1,3"), full_model_key("features=[words]")
    ('++model.classifier.C=1,3', 'features@model.features=[words]')
    """
    override = re.sub(r"^(classifier|features)=", r"\1@model.\1=", override)
    return re.sub(r"^(?:model\.)?((?:classifier|features)\.[\w.]+=)", r"++model.\1", override)


def drop_inherited_options(cfg: DictConfig, name: str | None, overrides: Sequence[str]) -> None:
    """Take out of ``cfg.model`` the options of classes that the model's file, or one it extends, replaced.

    A file that names another ``_target_`` states all of its options: those of the class before it do not apply.
    ``name`` is the file's, ``overrides`` are the command line's, which come last. Raises BadInput for
    a chosen classifier that the file would replace.
    """
    if name is None or not isinstance(cfg.get("model"), DictConfig):
        return
    keys = [override.lstrip("+").partition("=")[0] for override in overrides]
    layers = _layers(name)
    if any("classifier" in layer for layer in layers) and "classifier@model.classifier" in keys:
        raise BadInput(f"model={name} states its classifier: leave classifier= out")
    last: Any = OmegaConf.create({"model": {}})
    for key in keys:
        if key.startswith("model."):
            OmegaConf.update(last, key, None)
    overridden: Any = OmegaConf.to_container(last.model)
    merged: Any = OmegaConf.to_container(cfg.model)
    with open_dict(cfg):
        cfg.model = _own(merged, [*layers, overridden])


def _layers(name: str) -> list[Layer]:
    """Return the content of a model's file, after those of the files that it extends."""
    file = next(
        (p for f in config_folders() if (p := f / "model" / f"{name}.yaml").is_file()), None
    )
    body = (load_yaml(file) if file else None) or {}
    bases = [
        e for e in body.get("defaults", []) if isinstance(e, str) and e not in ("_self_", name)
    ]
    return [*(layer for base in bases for layer in _layers(base)), body]


def _own(merged: dict[str, Any], layers: Sequence[Layer]) -> dict[str, Any]:
    """Return a mapping without the keys that only layers before the last ``_target_`` have."""
    named = [i for i, layer in enumerate(layers) if "_target_" in layer]
    if named:
        own = {key for layer in layers[named[-1] :] for key in layer}
        merged = {key: value for key, value in merged.items() if key in own}
    return {
        key: _own(value, [layer[key] for layer in layers if isinstance(layer.get(key), dict)])
        if isinstance(value, dict)
        else value
        for key, value in merged.items()
    }
