"""What is written bears the time of SOURCE_DATE_EPOCH, whatever the day and the time zone."""

from datetime import UTC, datetime

import pytest

from onrecord.core.clock import utc_now
from onrecord.core.errors import BadInput


def test_the_time_is_that_of_source_date_epoch(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86399")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    assert utc_now() == datetime(1970, 1, 1, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, ""])
def test_without_it_the_time_is_the_present(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    else:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    assert abs((utc_now() - datetime.now(UTC)).total_seconds()) < 60


@pytest.mark.parametrize("value", ["today", "1e9", "9" * 30])
def test_what_is_no_number_of_seconds_is_refused(monkeypatch, value):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with pytest.raises(BadInput, match="expected seconds since 1970"):
        utc_now()
