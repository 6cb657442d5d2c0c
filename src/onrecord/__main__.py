"""The entry of ``onrecord`` and of ``python -m onrecord``: an interruption while modules load is one line too."""

import sys


def main() -> int:
    """Run the command line and return its exit status."""
    try:
        from onrecord.cli import app  # noqa: PLC0415  (it takes most of a second)

        return app.main()
    except KeyboardInterrupt:
        print("onrecord: interrupted; run it again to go on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
