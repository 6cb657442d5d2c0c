"""Objects from config: which classes a model file may name, and how one is made from its options.

A spec is a mapping with ``_target_``, a class's full name, and that class's own options, as Hydra has it.
Classes of scikit-learn and of this package may be named; an installed package adds its own by an entry point
of the group ``onrecord.models`` whose value is the module that they are in.
"""

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from onrecord.core.errors import BadInput

Spec = Mapping[str, Any]
OURS = "onrecord.experiment.models"


@cache
def allowed_packages() -> tuple[str, ...]:
    """Return the packages whose classes a config or a saved model may name."""
    return ("sklearn", OURS, *sorted(e.module for e in entry_points(group="onrecord.models")))


def allowed_class(target: str) -> type | None:
    """Return the class of this full name, or None unless an allowed package defines it.

    The class's own module counts, not the one that it was reached by.

    >>> allowed_class("sklearn.svm.LinearSVC").__name__, allowed_class("subprocess.Popen")
    ('LinearSVC', None)
    """
    if target == "builtins.tuple":
        return tuple
    module, _, name = target.rpartition(".")
    if not _is_allowed(module):
        return None
    try:
        found = getattr(import_module(module), name, None)
    except ImportError:
        return None
    return found if isinstance(found, type) and _is_allowed(found.__module__) else None


def instantiate(spec: Any, where: str, seed: int = 0) -> Any:
    """Return what a spec stands for; mappings and lists inside it are followed, plain values stay.

    A class with ``random_state`` gets ``seed`` unless the spec has it. ``where`` names the spec in the config.
    Raises BadInput for a class that may not be named and for an option that it does not take.
    """
    if isinstance(spec, list):
        return [instantiate(part, where, seed) for part in spec]
    if not isinstance(spec, Mapping):
        return spec
    options = {str(k): instantiate(v, f"{where}.{k}", seed) for k, v in spec.items()}
    if "_target_" not in options:
        return options
    target = str(options.pop("_target_"))
    found = allowed_class(target)
    if found is None:
        raise BadInput(
            f"{where}._target_: expected a class of {', '.join(allowed_packages())}, found {target!r}"
        )
    arguments = options.pop("_args_", [])
    if found is tuple:
        return tuple(*arguments)
    known = list(inspect.signature(found).parameters)
    for key in options:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f": it takes {', '.join(known)}"
            raise BadInput(f"{where}: {found.__name__} takes no {key!r}{hint}")
    if "random_state" in known:
        options.setdefault("random_state", seed)
    try:
        return found(*arguments, **options)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{where}: {found.__name__}: {error}") from error


def _is_allowed(module: str) -> bool:
    return any(
        module == package or module.startswith(f"{package}.") for package in allowed_packages()
    )
