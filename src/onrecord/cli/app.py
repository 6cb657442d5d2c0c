"""The command line: ``onrecord COMMAND [key=value ...]``, exit statuses, and one line for every error."""

import os
import sys
from collections.abc import Sequence

import pyarrow as pa

from onrecord.cli.commands import ALIASES, COMMANDS
from onrecord.cli.help import command_page, overview
from onrecord.cli.overrides import did_you_mean
from onrecord.cli.runner import run
from onrecord.core.errors import BadInput, CheckFailed


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 a check failed, 2 bad input."""
    arguments = list(sys.argv[1:] if argv is None else argv) or ["help"]
    name, overrides = arguments[0], arguments[1:]
    try:
        if name in {"-h", "--help", "help"}:
            print(overview())
        else:
            command = _current_name(name)
            if {"-h", "--help"} & {*overrides}:
                print(command_page(command))
            else:
                run(command, overrides)
    except BadInput as error:
        print(f"onrecord {name}: {error}", file=sys.stderr)
        return 2
    except CheckFailed as error:
        print(f"onrecord {name}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
    except (OSError, pa.ArrowException) as error:  # no permission, a full disk, a damaged table
        if isinstance(error, OSError) and error.errno is None:
            raise
        what = "" if isinstance(error, OSError) else "a file of the workspace cannot be read: "
        print(f"onrecord {name}: {what}{' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"onrecord {name}: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


def _current_name(name: str) -> str:
    """Return a command's name; a former one is accepted with a line on standard error."""
    if name in ALIASES:
        now = ALIASES[name]
        print(
            f"onrecord {name}: this command is now `{now}`; the old name will go", file=sys.stderr
        )
        return now
    if name not in COMMANDS:
        near = did_you_mean(name, COMMANDS)
        raise BadInput(f"there is no command {name!r}{near}: `onrecord` lists them")
    return name
