"""The two errors that end a command with one line."""


class BadInput(Exception):
    """Input that cannot be used: one line saying what was expected, what was found and where (exit 2)."""


class CheckFailed(Exception):
    """A check that the command exists to make has failed (exit 1)."""
