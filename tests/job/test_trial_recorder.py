"""What a rank writes down of its trials."""

from simulated_loop import make_trial

from mpi_automl.job.rank_log import RankLog
from mpi_automl.job.trial_recorder import TrialRecorder
from mpi_automl.parallel.world import World
from mpi_automl.storage.kept_models import KeptModels, ModelsBound
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.sizes import StoreLayout
from mpi_automl.storage.store import create_store
from mpi_automl.trial import Result, Status


def test_trials_are_in_the_store_and_in_the_log_and_are_counted(tmp_path):
    facts = {"space": "{}", "truth": [0.0], "validation_rows": [0]}
    store = create_store(tmp_path, 0, StoreLayout(1, 10, 5, 1, 0, 1, 2), facts, World(None, 0.0))
    log = RankLog()
    log.open(tmp_path / "rank.log")
    recorder = TrialRecorder(store, KeptModels(tmp_path, ModelsBound(5)), log)
    for number, status in enumerate((Status.SUCCESS, Status.CRASHED, Status.SUCCESS)):
        trial = make_trial(number)
        assert recorder.keep_model_below(trial) == float("inf")
        recorder.begin(trial)
        recorder.end(Result(trial, status, 0.5, 10.0, 12.0))
    assert recorder.finished == 3
    assert recorder.statuses == {Status.SUCCESS: 2, Status.CRASHED: 1}
    # A model may still be under way: no child has written it here.
    assert not recorder.has_all_models
    recorder.tidy_models()
    assert recorder.has_all_models
    recorder.flush()
    store.close()
    log.close()
    assert RunReader(tmp_path).records["status"].tolist() == [1, 2, 1]
    assert (tmp_path / "rank.log").read_text().count("trial 0-0-") == 3
