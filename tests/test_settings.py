"""Settings: wrong values and options that contradict each other, mappings, and what every option says of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_automl.errors import UserError
from mpi_automl.settings import OPTIONS, Settings


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("time", "5 parsecs", "--time is '5 parsecs'; it must be a time such as 90s, 15m or 2h."),
        ("time", "0", "--time is '0'; it must be at least 1."),
        ("time", "inf", "--time is 'inf'; it must be a time such as"),
        ("seed", "1.5", "--seed is '1.5'; it must be a whole number."),
        ("share", "histroy", "did you mean history?"),
        ("holdout_share", 2, "--holdout-share is 2; it must be at most 0.99."),
        ("ensemble_nbest", True, "--ensemble-nbest is True; it must be a count such as 50, or a share such as 0.5."),
        ("drop_missing_targets", "perhaps", "it must be true or false."),
        ("threads", "many", "--threads is 'many'; it must be a whole number or auto."),
        ("threads", "0", "--threads is '0'; it must be at least 1."),
        ("models_on_disk", "some", "it must be a count such as 50, or a size with its unit such as 2GiB."),
        ("models_on_disk", "1.5", "it must be a count such as 50, or a size with its unit such as 2GiB."),
    ],
)
def test_a_wrong_value_is_explained(option, value, sentence):
    with pytest.raises(UserError) as caught:
        Settings(**{option: value})
    assert sentence in str(caught.value)


@pytest.mark.parametrize(("text", "value"), [("50", 50), (7, 7), ("2GiB", "2048MiB"), ("1.5 m", "1.5MiB")])
def test_a_count_or_a_size(text, value):
    settings = Settings(models_on_disk=text)
    assert settings.models_on_disk == value
    assert Settings.from_mapping(settings.to_mapping()) == settings


def test_a_repeatable_job_counts_trials_and_takes_no_limit_that_depends_on_time():
    with pytest.raises(UserError, match="number of trials of each rank with --trials"):
        Settings(deterministic=True)
    with pytest.raises(UserError, match="--fidelity"):
        Settings(deterministic=True, trials=5, fidelity="rows")
    for limit in ({"disk_limit": "1GiB"}, {"models_on_disk": "1GiB"}):
        with pytest.raises(UserError, match="cannot be limited by size"):
            Settings(deterministic=True, trials=5, **limit)
    assert Settings(deterministic=True, trials=5).exchange_every > 0


def test_an_unknown_option_gets_the_nearest():
    with pytest.raises(UserError, match="did you mean trial_memory"):
        Settings.from_mapping({"trial-memry": 5})


def test_settings_survive_their_mapping():
    settings = Settings(time="15m", target="a,b", ensemble_nbest="0.5", trial_memory="2GiB", include=["classifier:mlp"])
    assert Settings.from_mapping(settings.to_mapping()) == settings


def test_every_option_has_help_and_a_group():
    for name, option in OPTIONS.items():
        assert option.help and not option.help.endswith("."), name
        assert option.group in {"data", "search", "evaluation", "ensemble", "storage"}
        assert option.annotation, name


def test_every_default_is_a_value_that_its_option_accepts():
    for name, option in OPTIONS.items():
        assert option.default is None or option.checked(name, option.default) == option.default, name


@pytest.mark.slow
@given(st.sampled_from(list(OPTIONS)), st.text() | st.floats() | st.integers())
def test_any_value_is_taken_or_refused_in_one_sentence(name, value):
    try:
        Settings(**{name: value})
    except UserError as error:
        assert "\n" not in str(error).replace(repr(value), "")
