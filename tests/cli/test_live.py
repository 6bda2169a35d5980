"""How a running job is shown: measured by rank 0, drawn in a terminal, watched from outside."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Float
from rich.console import Console

from mpi_automl.cli.chart import step_chart
from mpi_automl.cli.live import picture, progress_line
from mpi_automl.cli.main import entry
from mpi_automl.data.task import TaskType
from mpi_automl.job.progress import Progress, ProgressMeter, Throttle
from mpi_automl.job.time_budget import TimeBudget
from mpi_automl.metrics.registry import get_metric
from mpi_automl.parallel.coordinator import Coordinator
from mpi_automl.parallel.messages import Report
from mpi_automl.settings import Settings
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

START = 1000.0


def news(rank, number, status, cost=np.nan, learner=0.0):
    return TrialUpdate(TrialKey(0, rank, number), status, cost, Origin.MODEL, 1.0, 2.0, np.array([learner, 0.5]))


def make_meter(ranks):
    space = ConfigurationSpace(seed=0)
    space.add(Categorical("classifier:__choice__", ["lda", "forest"]), Float("x", (0, 1)))
    budget = TimeBudget(START, START + 50.0, START + 55.0, START + 58.0, START + 60.0)
    metric = get_metric("accuracy", TaskType.BINARY)
    plan = SimpleNamespace(search=SimpleNamespace(configspace=space), time=budget, metric=metric)
    coordinator = Coordinator(ranks, "history", START)
    return coordinator, ProgressMeter(plan, coordinator, START)


@pytest.fixture
def progress():
    """Two ranks after ten seconds: one has found a model and fits the next, one runs its first, which is the dummy."""
    coordinator, meter = make_meter(2)
    coordinator.absorb(
        Report(0, START, trials=(news(0, 0, Status.RUNNING), news(0, 1, Status.RUNNING, learner=1))), START
    )
    coordinator.absorb(Report(1, START, trials=(news(1, 0, Status.RUNNING, learner=np.nan),)), START)
    coordinator.absorb(Report(0, START, busy_seconds=4.0, trials=(news(0, 0, Status.SUCCESS, 0.2),)), START + 4.0)
    return meter.read(START + 10.0)


def test_progress_tells_what_every_rank_does(progress):
    ranks = progress.ranks
    assert [ranks.learners[doing] for doing in ranks.doing] == ["forest", "dummy"]
    assert ranks.seconds == (6.0, 10.0)
    assert ranks.finished == (1, 0)
    assert progress.running == 2
    assert progress.improvements == ((4.0, 0.8),)
    assert progress.best == {"trial": "0-0-0", "value": 0.8, "rank": 0, "seconds": 4.0}
    assert progress.per_second == pytest.approx(0.1)


def test_progress_survives_its_file(progress):
    assert Progress.from_mapping(json.loads(json.dumps(progress.to_mapping()))) == progress


def test_the_rate_is_that_of_the_last_minute():
    coordinator, meter = make_meter(1)
    for second in range(200):
        if second < 100:
            coordinator.absorb(Report(0, START, trials=(news(0, second, Status.SUCCESS, 0.5),)), START + second)
        rate = meter.read(START + second).per_second
        if second == 99:
            assert rate == pytest.approx(1.0, rel=0.05)
    assert rate == 0.0


def test_the_line_and_the_picture_of_a_job(progress):
    line = progress_line(progress)
    assert "1 trials (0.1/s), 2 running, 0 failed | best accuracy 0.8000 by rank 0 | 40 s left" in line
    console = Console(width=80, record=True, force_terminal=False, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(picture(progress, 80, 24))
    text = console.export_text()
    for words in ("0:10 of 1:00", "40 s left", "forest", "dummy", "accuracy 0.8000", "\u2824"[:0]):
        assert words in text
    assert "silent" not in text


def test_a_thousand_ranks_fit_into_a_terminal_and_a_small_file(tmp_path):
    coordinator, meter = make_meter(1000)
    for rank in range(1000):
        for number in range(3):
            done = (news(rank, number, Status.SUCCESS, 1.0 / (rank + 2 + number)),) if number < 2 else ()
            report = Report(rank, START, busy_seconds=7.3, trials=(news(rank, number, Status.RUNNING), *done))
            coordinator.absorb(report, START + 8)
    progress = meter.read(START + 33.0)
    console = Console(width=100, record=True, force_terminal=False, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(picture(progress, 100, 30))
    text = console.export_text()
    assert len(text.splitlines()) < 30
    assert "more" in text
    assert "silent for more than 10 s" in text
    directory = RunDirectory.create(tmp_path / "run", Settings())
    directory.write_status({"state": "running", **progress.to_mapping()})
    assert (directory.path / "status.json").stat().st_size < 40_000
    assert Progress.from_mapping(directory.read_status()) == progress


@pytest.mark.parametrize("better", [1.0, -1.0])
def test_the_chart_steps_from_one_value_to_the_next(better):
    points = [(0.0, 0.0), (5.0, better), (8.0, 2 * better)]
    lines = step_chart(points, 10.0, 20, 4)
    assert len(lines) == 4
    assert len({len(line) for line in lines}) == 1
    drawn = [line[-20:] for line in lines]
    top, bottom = (drawn[0], drawn[-1]) if better > 0 else (drawn[-1], drawn[0])
    assert top[-1] != chr(0x2800)
    assert top[0] == chr(0x2800)
    assert bottom[0] != chr(0x2800)
    assert step_chart([], 10.0, 20, 4) == []


def test_what_takes_long_is_done_less_often():
    throttle = Throttle(1.0, 30.0)
    assert throttle.is_due(0.0)
    throttle.done(0.0, 0.3)
    assert (throttle.is_due(0.9), throttle.is_due(1.1)) == (False, True)
    throttle.done(2.0, 2.03)
    assert (throttle.is_due(7.9), throttle.is_due(8.1)) == (False, True)
    throttle.done(10.0, 11.0)
    throttle.done(20.0, 21.0)
    assert (throttle.is_due(49.0), throttle.is_due(50.1)) == (False, True)


def watch(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        entry(["watch", *map(str, words)])
    return ended.value.code, capsys.readouterr().out


def test_watch_a_job_that_runs(tmp_path, progress, capsys):
    directory = RunDirectory.create(tmp_path / "run", Settings())
    assert watch(capsys, directory.path, "--once") == (0, "The job is starting.\n")
    directory.write_status({"state": "running", **progress.to_mapping()})
    code, text = watch(capsys, directory.path, "--once")
    assert code == 0
    assert "forest" in text
    assert "\x1b" not in text


def test_watch_ends_with_the_job(tmp_path, progress, capsys):
    directory = RunDirectory.create(tmp_path / "run", Settings())
    directory.write_status({"state": "running", **progress.to_mapping()})
    directory.lock.release()
    code, text = watch(capsys, directory.path)
    assert code == 1
    assert "killed" in text
    assert "--resume" in text
