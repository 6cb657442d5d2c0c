"""The entry of ``onrecord`` and of ``python -m onrecord``: an unforeseen error ends in one line too."""

import sys
import tempfile
import traceback

from platformdirs import user_cache_path


def main() -> int:
    """Run the command line and return its exit status; 3 is an error that nobody foresaw."""
    try:
        from onrecord.cli import app  # noqa: PLC0415  (it takes most of a second)

        return app.main()
    except KeyboardInterrupt:
        print("onrecord: interrupted; run it again to go on", file=sys.stderr)
        return 130
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        print(
            f"onrecord: unforeseen error, please report it: {what:.200} (traceback in {keep_traceback()})",
            file=sys.stderr,
        )
        return 3


def keep_traceback() -> str:
    """Write the traceback of the present exception to a file that only its owner can read; return its path.

    It is in the user's cache folder, or in the temporary one where that cannot be written.
    """
    try:
        folder = user_cache_path("onrecord") / "errors"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(".txt", "traceback-", folder)
    except OSError:
        descriptor, path = tempfile.mkstemp(".txt", "onrecord-traceback-")
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(traceback.format_exc())
    return path


if __name__ == "__main__":
    sys.exit(main())
