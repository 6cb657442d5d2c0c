"""On Record: who claims what, and where they stand."""

from importlib.metadata import version
from pathlib import Path

__version__ = version("onrecord")

# What ships beside the code (conf/, annotation/): inside the package in a wheel, at the root of a clone.
_packaged = Path(__file__).parent / "packaged"
ROOT = _packaged if _packaged.is_dir() else Path(__file__).parents[2]
