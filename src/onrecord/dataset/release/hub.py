"""A release uploaded to the Hugging Face Hub: the folder as it is, in one commit, and compared afterwards."""

import os
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import LocalTokenNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.sha import git_hash

from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256


def upload(folder: Path, *, repo: str, version: str, private: bool) -> str:
    """Upload every file of ``folder`` in one commit, tag it, compare, and return its address.

    What the repository held before and the folder does not is deleted in the same commit. The token
    comes from the environment or from ``hf auth login``. Raises BadInput where the Hub cannot be
    reached, refuses, or holds other bytes afterwards.
    """
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    try:
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo, folder_path=folder, repo_type="dataset", delete_patterns=["*"],
            commit_message=f"Release v{version}",
        )  # fmt: skip
        held = {
            item.path: item
            for item in api.list_repo_tree(
                repo, recursive=True, repo_type="dataset", revision=commit.oid
            )
            if isinstance(item, RepoFile)
        }
        compare(folder, held, repo)
        api.create_tag(
            repo, tag=f"v{version}", revision=commit.oid, repo_type="dataset", exist_ok=True
        )
    except LocalTokenNotFoundError as error:
        raise BadInput("to=hub needs a token: set HF_TOKEN, or run `hf auth login`") from error
    except BadInput:
        raise
    except (
        Exception
    ) as error:  # the client's own errors, and its transport's, which differ by its version
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BadInput(f"to=hub, repo={repo}: {lines[0]}") from error
    return str(commit.commit_url)


def compare(folder: Path, held: dict[str, RepoFile], repo: str) -> None:
    """Raise BadInput unless the repository holds every file of the folder with the same bytes.

    Large files are compared by SHA-256, small ones by git's own hash of a blob.
    """
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in held:
            raise BadInput(f"{repo}: {name} did not arrive")
        there = held[name]
        same = (
            there.lfs.sha256 == file_sha256(path)
            if there.lfs
            else there.blob_id == git_hash(path.read_bytes())
        )
        if not same:
            raise BadInput(f"{repo}: {name} arrived with other bytes")
