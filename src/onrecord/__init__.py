"""On Record: who claims what, and where they stand."""

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onrecord.experiment.estimate import estimate

__all__ = ["estimate"]
__version__ = version("onrecord")

# What ships beside the code (conf/, annotation/): inside the package in a wheel, at the root of a clone.
_packaged = Path(__file__).parent / "packaged"
ROOT = _packaged if _packaged.is_dir() else Path(__file__).parents[2]

_FUNCTIONS = {"estimate": "onrecord.experiment.estimate"}


def __getattr__(name: str) -> Any:
    """Return a function of the Python interface; its module is imported on first use, since it takes a second."""
    if name in _FUNCTIONS:
        return getattr(import_module(_FUNCTIONS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
