"""A dataset as a folder that ``datasets.load_dataset`` reads: Parquet files and a card that names them."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from onrecord.core.files import atomic, write_text


def write_configs(folder: Path, configs: Mapping[str, Mapping[str, pa.Table]]) -> None:
    """Write ``folder/CONFIG/SPLIT.parquet`` for each table; an empty one is left out.

    ``datasets`` cannot read a Parquet file without rows, so a split without rows is absent.
    """
    for config, splits in configs.items():
        for split, rows in splits.items():
            if rows.num_rows:
                with atomic(folder / config / f"{split}.parquet") as temporary:
                    # Statistics would repeat the first and last text of each column in the footer.
                    pq.write_table(rows, temporary, compression="zstd", write_statistics=False)


def configs_yaml(configs: Mapping[str, Mapping[str, pa.Table]]) -> list[dict[str, Any]]:
    """Return what a dataset card's YAML says of the configs; the first is the default."""
    return [
        {"config_name": config}
        | ({"default": True} if number == 0 else {})
        | {"data_files": [
            {"split": split, "path": f"{config}/{split}.parquet"} for split, rows in splits.items() if rows.num_rows
        ]}
        for number, (config, splits) in enumerate(configs.items())
    ]  # fmt: skip


def write_minimal_card(
    folder: Path, configs: Mapping[str, Mapping[str, pa.Table]], title: str
) -> None:
    """Write the ``README.md`` that lets ``load_dataset(folder)`` find the configs and the default one.

    It names no features: those of the Parquet files hold, and nothing can contradict them.
    """
    head = yaml.safe_dump({"configs": configs_yaml(configs)}, sort_keys=False, allow_unicode=True)
    write_text(folder / "README.md", f"---\n{head}---\n\n# {title}\n")


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``folder`` that takes its place, whole, when the block ends without error."""
    fresh, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
