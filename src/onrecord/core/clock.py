"""The time that commands write into files: SOURCE_DATE_EPOCH where it is set, so that a build can be repeated."""

import os
from datetime import UTC, datetime

from onrecord.core.errors import BadInput


def utc_now() -> datetime:
    """Return the time in UTC: that of SOURCE_DATE_EPOCH (seconds since 1970) if set, else the present time.

    Raises BadInput where the variable is not a number of seconds.
    Source: https://reproducible-builds.org/specs/source-date-epoch/
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadInput(f"SOURCE_DATE_EPOCH={epoch}: expected seconds since 1970") from error
