"""Options: converters and their units, and what an option says of itself."""

import pytest

from mpi_automl.errors import UserError
from mpi_automl.option_types import Option, integer, mebibytes, names, runs, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("90s", 90), ("15m", 900), ("1.5h", 5400), ("2d", 172_800), ("1:30:00", 5400), ("02:30", 150), (7, 7)],
)
def test_times(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize(("text", "value"), [("1024", 1024), ("2GiB", 2048), ("512 MiB", 512), ("1g", 1024), (3, 3)])
def test_sizes(text, value):
    assert mebibytes(text) == value


def test_names_come_from_a_list_or_from_a_text_with_commas():
    assert names("a, b,") == names(["a", "b"]) == ("a", "b")
    assert runs(False) == ()


def test_an_option_knows_its_unit_and_its_annotation():
    assert Option(60.0, seconds, "time", "search").unit == "seconds"
    assert Option(60.0, mebibytes, "memory", "search").unit == "MiB"
    assert Option(1, integer, "count", "search").unit == ""
    assert Option(None, integer, "count", "search").annotation == "int | None"
    assert Option("a", str, "kind", "search", choices=("a", "b")).annotation == 'Literal["a", "b"]'


def test_limits_hold_for_the_converted_value():
    option = Option(60.0, seconds, "time", "search", min=30, max=3600)
    assert option.checked("pause_time", "1m") == 60
    with pytest.raises(UserError, match="--pause-time is '1s'; it must be at least 30."):
        option.checked("pause_time", "1s")
    with pytest.raises(UserError, match="it must be at most 3600"):
        option.checked("pause_time", "2h")
