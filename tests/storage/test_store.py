"""What is written by all ranks is read back, in both layouts."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from launching import CHECKOUT, Launcher
from store_killing import WRITER
from write_trials import make_layout, make_metadata, make_result, make_trial

from mpi_automl.cli.tables import unfinished_lines
from mpi_automl.errors import UserError
from mpi_automl.parallel.world import World
from mpi_automl.storage import schema
from mpi_automl.storage.flusher import Flusher
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.store import create_store
from mpi_automl.storage.verify import check
from mpi_automl.trial import Origin, Status, TrialKey


def ranks_of(directory: Path) -> int:
    return RunReader(directory).legs[0].ranks


def test_every_trial_of_every_rank_is_there(written_run: Path) -> None:
    reader = RunReader(written_run)
    expected = [TrialKey(3, rank, number) for rank in range(ranks_of(written_run)) for number in range(12)]
    assert list(reader.keys) == expected
    for key, vector, record in zip(reader.keys, reader.vectors, reader.records, strict=True):
        result = make_result(make_trial(*key))
        np.testing.assert_array_equal(vector, result.trial.vector)
        assert record["seed"] == result.trial.seed
        assert record["status"] == result.status
        np.testing.assert_equal(float(record["cost"]), result.cost)


def test_table_of_trials(written_run: Path) -> None:
    table = RunReader(written_run).trials().set_index("key")
    good, bad = table.loc["3-0-1"], table.loc["3-0-4"]
    result = make_result(make_trial(3, 0, 1))
    assert good["status"] == "success"
    assert good["origin"] == "model"
    assert good["cost"] == result.cost
    assert good["seconds"] == 1.5
    assert good["score_f1"] == result.scores["f1"]
    assert (good["ask_seconds"], good["fit_seconds"], good["memory_peak"]) == (0.25, 0.5, 12.5)
    assert bad["status"] == "crashed"
    assert bad["reason"] == "ValueError: größer als erlaubt"
    assert not bad["has_predictions"]
    assert table.loc["3-0-0", "origin"] == "dummy"


def test_predictions_of_the_best_are_kept_and_those_of_the_dummy(written_run: Path) -> None:
    reader = RunReader(written_run)
    for rank in range(ranks_of(written_run)):
        costs = {number: make_result(make_trial(3, rank, number)).cost for number in range(12)}
        ordinary = [number for number in costs if np.isfinite(costs[number]) and (rank, number) != (0, 0)]
        best = set(sorted(ordinary, key=costs.__getitem__)[:5])
        if rank == 0:
            best.add(0)
        kept = {
            key.number for key, has in zip(reader.keys, reader.has_predictions, strict=True) if has and key.rank == rank
        }
        assert kept == best


def test_predictions_are_those_of_their_trial(written_run: Path) -> None:
    reader = RunReader(written_run)
    keys = reader.best(1000)
    assert len(keys) == reader.has_predictions.sum() > 5
    costs = [make_result(make_trial(*key)).cost for key in keys]
    assert costs == sorted(costs)
    predictions, test_predictions = reader.predictions(keys), reader.test_predictions(keys)
    assert test_predictions is not None
    for position, key in enumerate(keys):
        result = make_result(make_trial(*key))
        np.testing.assert_array_equal(predictions[position], result.predictions)
        np.testing.assert_array_equal(test_predictions[position], result.test_predictions)
    assert predictions.dtype == np.float32


def test_predictions_that_gave_way_are_refused(written_run: Path) -> None:
    reader = RunReader(written_run)
    gone = [key for key, has in zip(reader.keys, reader.has_predictions, strict=True) if not has]
    with pytest.raises(KeyError, match="not kept"):
        reader.predictions(gone[:1])


def test_the_trial_that_was_begun_is_in_flight(written_run: Path) -> None:
    in_flight = RunReader(written_run).in_flight()
    assert in_flight.keys == tuple(TrialKey(3, rank, 12) for rank in range(ranks_of(written_run)))
    np.testing.assert_array_equal(in_flight.vectors[0], make_trial(3, 0, 12).vector)


def test_facts_of_the_leg(written_run: Path) -> None:
    reader = RunReader(written_run)
    np.testing.assert_array_equal(reader.validation_rows(), np.arange(50) * 2)
    np.testing.assert_array_equal(reader.truth(), np.arange(50) * 2 % 3)
    np.testing.assert_array_equal(reader.test_truth(), np.arange(11) % 3)
    assert reader.space_json() == '{"name": "größe"}'
    assert reader.metadata()["hosts"] == ["a", "b"]
    assert reader.legs[0].extra_metrics == ("f1",)


def test_plain_h5py_sees_one_schema(written_run: Path) -> None:
    ranks = ranks_of(written_run)
    with h5py.File(schema.main_file(written_run, 3), "r") as file:
        shapes = {name: dataset.shape for name, dataset in file.items()}
        records = file["records"][...]
        vectors = file["vectors"][...]
        # The master has its virtual datasets resolved relative to itself, wherever the reader is.
        predictions = file["predictions"][0, int(records[0, 1]["slot"])]
    assert shapes == {
        "records": (ranks, 10),
        "vectors": (ranks, 10, 7),
        "predictions": (ranks, 7, 50, 3),
        "test_predictions": (ranks, 7, 11, 3),
        "truth": (50,),
        "test_truth": (11,),
        "validation_rows": (50,),
        "space": (),
        "metadata": (),
    }
    assert records["number"].tolist() == [list(range(10))] * ranks
    assert records["status"][0, 4] == Status.CRASHED
    assert records["origin"][0, 0] == Origin.DUMMY
    np.testing.assert_array_equal(vectors[ranks - 1, 7], make_trial(3, ranks - 1, 7).vector)
    assert records[0, 1]["cost"] == make_result(make_trial(3, 0, 1)).cost
    np.testing.assert_array_equal(predictions, make_result(make_trial(3, 0, 1)).predictions)


def test_check_finds_nothing(written_run: Path) -> None:
    report = check(written_run)
    ranks = ranks_of(written_run)
    assert report.is_sound
    assert (report.legs, report.committed, report.in_flight) == (1, 12 * ranks, ranks)
    assert report.predictions == RunReader(written_run).has_predictions.sum()


def test_a_leg_is_never_overwritten(written_run: Path) -> None:
    with pytest.raises(UserError, match="Leg 3 is already in"):
        create_store(written_run, 3, make_layout(1, 10, 5), make_metadata(), World(None, 0.0))
    assert check(written_run).is_sound


def test_no_store_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There are no trials"):
        RunReader(tmp_path)


def test_read_by_the_process_that_writes(tmp_path: Path) -> None:
    store = create_store(tmp_path, 0, make_layout(1, 10, 5), make_metadata(), World(None, 0.0))
    store.write(make_result(make_trial(0, 0, 1)))
    reader = RunReader(tmp_path)
    assert reader.best(1) == [TrialKey(0, 0, 1)]
    store.write(make_result(make_trial(0, 0, 2)))
    reader.refresh()
    assert len(reader) == 2
    store.close()


def lay_a_leg(directory: Path, leg: int, begun: list[int], **metadata: object) -> None:
    store = create_store(directory, leg, make_layout(1, 10, 5), make_metadata() | metadata, World(None, 0.0))
    for number in begun:
        # The configuration is that of leg 0, as when a later leg proposes it again.
        store.begin(replace(make_trial(0, 0, number), key=TrialKey(leg, 0, number)))
    store.close()


def test_what_was_in_flight_twice_is_poisonous(tmp_path: Path) -> None:
    lay_a_leg(tmp_path, 0, begun=[1, 2])
    assert len(RunReader(tmp_path).quarantined()) == 0
    lay_a_leg(tmp_path, 1, begun=[2, 3])
    reader = RunReader(tmp_path)
    np.testing.assert_array_equal(reader.quarantined(), [make_trial(0, 0, 2).vector])
    assert reader.in_flight().keys == (TrialKey(0, 0, 1), TrialKey(0, 0, 2), TrialKey(1, 0, 2), TrialKey(1, 0, 3))
    assert reader.in_flight(legs=[1]).keys == (TrialKey(1, 0, 2), TrialKey(1, 0, 3))


def test_legs_of_other_tables_are_not_mixed(tmp_path: Path) -> None:
    lay_a_leg(tmp_path, 0, begun=[])
    lay_a_leg(tmp_path, 1, begun=[], table_digest="another")
    with pytest.raises(UserError, match="different tables or search spaces"):
        RunReader(tmp_path)


def test_predictions_of_another_shape_are_refused(tmp_path: Path) -> None:
    store = create_store(tmp_path, 0, make_layout(1, 10, 5), make_metadata(), World(None, 0.0))
    result = make_result(make_trial(0, 0, 1))
    with pytest.raises(ValueError, match="needs"):
        store.write(replace(result, predictions=result.predictions[:-1]))
    assert len(RunReader(tmp_path)) == 0


def test_reason_is_cut_between_characters(tmp_path: Path) -> None:
    store = create_store(tmp_path, 0, make_layout(1, 10, 5), make_metadata(), World(None, 0.0))
    store.write(replace(make_result(make_trial(0, 0, 4)), reason="ü" * 99 + "€uro"))
    store.close()
    assert RunReader(tmp_path).trials()["reason"].tolist() == ["ü" * 99]


def test_failed_flush_is_reported(tmp_path: Path) -> None:
    flusher = Flusher(interval=0.0)
    (tmp_path / "file").touch()
    flusher.add(tmp_path / "file")
    flusher.flush_if_due()
    os.close(flusher._descriptors[0])
    with pytest.raises(OSError, match="Bad file descriptor"):
        for _ in range(1000):
            flusher.flush_if_due()
            time.sleep(0.001)


def test_under_every_mpi(launch: Launcher, mpis: str, tmp_path: Path) -> None:
    completed = launch(3, "python", WRITER, tmp_path, "0", "6", mpi=mpis)
    assert completed.returncode == 0
    reader = RunReader(tmp_path)
    assert list(reader.keys) == [TrialKey(0, rank, number) for rank in range(3) for number in range(6)]
    for key, predictions in zip(reader.best(20), reader.predictions(reader.best(20)), strict=True):
        np.testing.assert_array_equal(predictions, make_result(make_trial(*key)).predictions)
    assert check(tmp_path).is_sound


@pytest.mark.skipif(not h5py.get_config().mpi, reason="h5py was built without MPI")
def test_an_h5py_of_another_mpi_is_noticed_before_it_hangs(launch: Launcher, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "h5py").symlink_to(Path(h5py.__file__).parent)
    path = {"PYTHONPATH": f"{tmp_path / 'other'}{os.pathsep}{CHECKOUT}"}
    completed = launch(2, "python", WRITER, tmp_path / "run", "0", "3", mpi="mpich", env=path, timeout=40)
    assert completed.returncode == 0
    assert "layout: per-rank (h5py and mpi4py use different MPI libraries" in completed.stdout
    assert len(RunReader(tmp_path / "run")) == 6


def test_show_tells_what_was_lost_and_what_is_poisonous(tmp_path: Path) -> None:
    lay_a_leg(tmp_path, 0, begun=[1, 2])
    lay_a_leg(tmp_path, 1, begun=[2, 3])
    lines = list(unfinished_lines(RunReader(tmp_path)))
    assert lines[0].startswith("4 lost with a job that died: 0-0-1, 0-0-2, 1-0-2, 1-0-3.")
    assert lines[1].startswith("1 of these configurations are not tried again")
    lines = list(unfinished_lines(RunReader(tmp_path), is_running=True))
    assert lines[0] == "2 running now: 1-0-2, 1-0-3."
    assert lines[1].startswith("2 lost with a job that died: 0-0-1, 0-0-2.")
