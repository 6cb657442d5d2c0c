"""The guidelines that annotators follow: their version, and the tables in them that the scheme renders."""

import re
from pathlib import Path

from onrecord import ROOT
from onrecord.core.errors import BadInput
from onrecord.core.files import write_text
from onrecord.scheme.scheme import Question, Scheme, annotation_folder, load_scheme


def guidelines_version(guidelines: str) -> str:
    """Return the version that the first line of the guidelines states.

    >>> guidelines_version("# Annotation guidelines, version 1.0.0")
    '1.0.0'
    """
    match = re.search(r"\bversion (\d+\.\d+\.\d+)", guidelines.partition("\n")[0])
    if not match:
        raise BadInput("guidelines: expected `version X.Y.Z` in the first line, found none")
    return match[1]


def render_table(question: Question) -> str:
    """Return the Markdown table of a question's labels with their hotkeys and hints."""
    rows = [f"| {label.name} | {label.hotkey} | {label.hint} |" for label in question.labels]
    return "\n".join(["| label | key | in short |", "|---|---|---|", *rows])


def render_guidelines(guidelines: str, scheme: Scheme) -> str:
    """Return the guidelines with each ``<!-- scheme: QUESTION -->`` block replaced by its table."""

    def table(match: re.Match[str]) -> str:
        name = match[1]
        if name not in scheme.questions:
            raise BadInput(
                f"guidelines.md: it has the table of a question {name!r}, which the scheme lacks: expected "
                f"`<!-- scheme: QUESTION -->` of {', '.join(scheme.questions)}"
            )
        return f"<!-- scheme: {name} -->\n{render_table(scheme.questions[name])}\n<!-- end -->"

    return re.sub(r"<!-- scheme: (\w+) -->\n.*?<!-- end -->", table, guidelines, flags=re.DOTALL)


def read_guidelines(scheme: Scheme, folder: Path | None = None) -> str:
    """Return ``folder/guidelines.md`` with its tables rendered from the scheme.

    Raises BadInput where there are no guidelines, or a table names an unknown question.
    """
    path = (folder or annotation_folder()) / "guidelines.md"
    try:
        return render_guidelines(path.read_text(encoding="utf-8"), scheme)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected the guidelines in UTF-8, found {error}") from error


if __name__ == "__main__":  # `make render`
    committed = ROOT / "annotation" / "guidelines.md"
    declared = load_scheme(committed.parent)
    write_text(committed, render_guidelines(committed.read_text(encoding="utf-8"), declared))
