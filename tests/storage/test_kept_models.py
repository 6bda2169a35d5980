"""A rank keeps the models of its best trials, within a count or a size, and nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from mpi_automl.storage.kept_models import KeptModels, ModelsBound
from mpi_automl.trial import Origin, Result, Status, Trial, TrialKey


class Rank:
    """Evaluates trials as a rank does: one runs while the next one is handed out."""

    def __init__(self, directory: Path, bound: ModelsBound) -> None:
        self.kept = KeptModels(directory, bound)
        self.directory = directory
        self.number = 0

    def hand_out(self, origin: Origin = Origin.MODEL) -> tuple[Trial, float]:
        trial = Trial(TrialKey(0, 0, self.number), np.zeros(1), 1, origin)
        self.number += 1
        return trial, self.kept.threshold_for(trial)

    def finish(
        self, handed_out: tuple[Trial, float], cost: float, mebibytes: float = 0.0, status: Status = Status.SUCCESS
    ) -> None:
        trial, threshold = handed_out
        self.kept.note(Result(trial, status, cost, 0.0, 1.0))
        if status is Status.SUCCESS and cost < threshold:  # the child writes after it has reported
            (self.directory / f"{trial.key}.skops").write_bytes(bytes(int(mebibytes * 2**20)))

    def evaluate(self, *costs: float, mebibytes: float = 0.0) -> None:
        waiting = self.hand_out()
        for cost in costs:
            running, waiting = waiting, self.hand_out()
            self.finish(running, cost, mebibytes)

    def files(self) -> list[int]:
        self.kept.tidy()
        return sorted(int(path.stem.split("-")[-1]) for path in self.directory.iterdir())


def test_the_best_by_count(tmp_path):
    rank = Rank(tmp_path, ModelsBound.of(2))
    rank.evaluate(0.5, 0.4, 0.3, 0.6, 0.2, 0.25)
    assert rank.files() == [4, 5]


def test_the_best_by_size(tmp_path):
    rank = Rank(tmp_path, ModelsBound.of("2MiB"))
    rank.evaluate(0.9, 0.8, 0.7, 0.3, 0.1, 0.2, 0.5, mebibytes=0.6)
    assert rank.files() == [3, 4, 5]
    assert rank.hand_out()[1] == 0.3


def test_a_count_and_a_limit_of_the_disk(tmp_path):
    rank = Rank(tmp_path, ModelsBound.of(5, limit=1.0))
    rank.evaluate(0.3, 0.2, 0.1, mebibytes=0.4)
    assert rank.files() == [1, 2]


def test_a_model_larger_than_the_bound_is_kept_alone(tmp_path):
    rank = Rank(tmp_path, ModelsBound.of("1MiB"))
    rank.evaluate(0.3, 0.2, mebibytes=3)
    rank.finish(rank.hand_out(), 0.9)
    assert rank.files() == [1]


@pytest.mark.parametrize("nothing", [0, "0MiB"])
def test_nothing_but_the_dummy(tmp_path, nothing):
    rank = Rank(tmp_path, ModelsBound.of(nothing))
    rank.finish(rank.hand_out(Origin.DUMMY), 0.5)
    rank.evaluate(0.3, 0.2)
    assert rank.files() == [0]


def test_what_was_written_under_an_old_threshold_goes(tmp_path):
    """The second trial was handed out when everything was to be kept, and ended when one better was there."""
    rank = Rank(tmp_path, ModelsBound.of(1))
    first, second = rank.hand_out(), rank.hand_out()
    rank.finish(first, 0.1)
    rank.finish(second, 0.2)
    assert rank.files() == [0]


def test_a_model_that_never_came_takes_no_place(tmp_path):
    rank = Rank(tmp_path, ModelsBound.of(2))
    first = rank.hand_out()
    rank.kept.note(Result(first[0], Status.SUCCESS, 0.1, 0.0, 1.0))  # killed while it was saving
    assert not rank.kept.is_complete
    rank.finish(rank.hand_out(), 0.2, status=Status.TIMEOUT)
    assert rank.kept.is_complete
    rank.evaluate(0.4, 0.3)
    assert rank.files() == [2, 3]
    assert rank.hand_out()[1] == 0.4


def test_without_a_bound():
    assert ModelsBound() == ModelsBound(math.inf, math.inf)
