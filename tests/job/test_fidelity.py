"""Successive halving over 3 ranks, and its second leg with 2: promotions, and budgets."""

from __future__ import annotations

import numpy as np
import pytest

from mpi_automl.configuration_identity import identities
from mpi_automl.job.resume import read_earlier_legs
from mpi_automl.runs.run import Run
from mpi_automl.search.halving import Halving
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

CHEAP = ("gaussian_nb", "lda", "decision_tree", "k_nearest_neighbors")
BUDGETS = (0.25, 0.5, 1.0)
UNDER_WAY = 10.0
"""Seconds that an update may be under way on a crowded machine: 3 s were seen."""


@pytest.fixture(scope="module")
def two_legs(launch, tmp_path_factory):
    run = tmp_path_factory.mktemp("fidelity") / "run"
    # A busy machine only makes it take longer: the numbers of trials end it.
    words = ["--time", "150", "--fidelity", "rows", "--eta", "2", "--min-budget", "0.25", "--resampling", "cv"]
    words += ["--folds", "3", "--report", "false"]
    components = [f"classifier:{name}" for name in CHEAP] + ["feature_preprocessor:no_preprocessing"]
    words += ["--include", ",".join(components)]
    for ranks, trials, place in ((3, "14", "--out"), (2, "12", "--resume")):
        more = ["--trials", trials, place, run]
        done = launch(ranks, "python", "-m", "mpi_automl", "example", *words, *more, timeout=200)
        assert done.returncode == 0, done.stderr
    return run


@pytest.fixture(scope="module")
def trials(two_legs):
    reader = RunReader(two_legs)
    table = reader.trials()
    table["configuration"] = identities(reader.vectors)
    return table[(table["origin"] != "dummy") & (table["status"] != "stopped")]


def parents(trials):
    """Each promoted trial beside the one with the next smaller budget."""
    promoted = trials[trials["origin"] == "promoted"].copy()
    promoted["below"] = promoted["budget"] / 2
    # Of two trials of a configuration the first to end can have been the one that was promoted.
    first = trials.sort_values("end").drop_duplicates(["configuration", "budget"])
    return promoted.merge(
        first, left_on=["configuration", "below"], right_on=["configuration", "budget"], suffixes=("", "_before")
    )


def test_every_trial_has_its_budget_and_only_promoted_ones_more_than_the_least(trials):
    assert set(trials["budget"]) == set(BUDGETS)
    assert ((trials["budget"] > BUDGETS[0]) == (trials["origin"] == "promoted")).all()
    # The news of a trial may reach a busy rank after it has chosen the same configuration. No rank
    # repeats what it knows: its own trials, and those of earlier legs.
    assert not trials.duplicated(["configuration", "budget", "leg", "rank"]).any()
    same = trials.groupby(["configuration", "budget"])
    assert (same["leg"].nunique() == 1).all()
    assert (same["start"].max() - same["start"].min() <= UNDER_WAY).all()


def test_trials_are_promoted_across_ranks(trials):
    pairs = parents(trials)
    assert len(pairs) == (trials["origin"] == "promoted").sum()
    assert (pairs["status_before"] == "success").all()
    assert (pairs["start"] >= pairs["end_before"]).all()
    first_leg = pairs[pairs["leg"] == 0]
    assert (first_leg["rank"] != first_leg["rank_before"]).any()
    assert (pairs["leg"] == 1).any()


def test_trials_of_an_earlier_leg_are_promoted_as_soon_as_enough_of_a_later_one_are_worse(two_legs, trials):
    lowest = trials[(trials["budget"] == BUDGETS[0]) & (trials["leg"] == 0) & (trials["status"] == "success")]
    went_on = set(trials.loc[trials["budget"] > BUDGETS[0], "configuration"])
    stayed = lowest[~lowest["configuration"].isin(went_on)]
    assert len(stayed)
    halving = Halving(BUDGETS, 2)
    read_earlier_legs(Run(two_legs)).promote(halving)
    width = RunReader(two_legs).vectors.shape[1]
    for number in range(2 * len(trials)):
        vector = np.full(width, float(1000 + number))
        worse = TrialUpdate(TrialKey(2, 0, number), Status.SUCCESS, 9.0, Origin.MODEL, BUDGETS[0], 1.0, vector)
        halving.note(worse)
    promoted = {str(one.key) for one in iter(halving.next, None)}
    assert promoted >= set(stayed["key"])


def test_about_a_half_of_each_rung_goes_on(trials):
    counts = [(trials["budget"] == budget).sum() for budget in BUDGETS]
    for lower, higher in zip(counts, counts[1:], strict=False):
        assert lower / 4 <= higher <= 0.75 * lower + 1


def test_the_ensemble_has_one_trial_of_a_configuration(two_legs):
    reader = RunReader(two_legs)
    outcome = RunDirectory(two_legs).read_ensemble()
    assert not outcome["is_dummy"]
    names = {str(key): name for key, name in zip(reader.keys, identities(reader.vectors), strict=True)}
    members = [names[member["key"]] for member in outcome["members"]]
    assert len(members) == len(set(members))
    assert np.isfinite(outcome["value"])
