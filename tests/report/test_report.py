"""Pages of runs of every kind: complete, harmless, and without a network."""

import re
import shutil
import time
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import h5py
import matplotlib.image
import numpy as np
import pytest
from report_runs import KINDS, SCRIPT, data_of

from mpi_automl.cli.fit import last_page
from mpi_automl.cli.main import entry
from mpi_automl.errors import UserError
from mpi_automl.estimators.jobs import run_here
from mpi_automl.estimators.results import performance_over_time
from mpi_automl.job.conclusion import Conclusion
from mpi_automl.job.rank_log import RankLog
from mpi_automl.job.time_budget import TimeBudget
from mpi_automl.report import style
from mpi_automl.report.contents import Contents
from mpi_automl.report.scores import score_trajectories
from mpi_automl.report.tables import state_sentence
from mpi_automl.report.write import ReportTime, ReportTimeoutError, write_report
from mpi_automl.runs.leaderboard import leaderboard
from mpi_automl.runs.run import KILLED, Run
from mpi_automl.runs.summary import RunSummary
from mpi_automl.settings import Settings
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.study.results import RunArrays
from mpi_automl.trial import Status

ALWAYS = {"rank_shares", "timeline", "members"}
CLASSES = {"confusion", "roc", "precision_recall", "calibration", "preprocessors", "learners"}
PLOTS = {
    "binary": {*CLASSES, "scores", "hyperparameter_importance", "parallel_coordinates"},
    "multiclass": {*CLASSES, "scores"},
    "multilabel": {*CLASSES, "scores"},
    "regression": {"residuals", "scores"},
    "multioutput": {"residuals", "scores"},
}
_VOID = {"meta", "br", "path", "use", "image", "rect", "stop"}


class Page(HTMLParser):
    """Tags and ids of a page, and whether every tag that was opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.open = Counter(), Counter(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.ids.update(value for name, value in attributes if name == "id")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags[tag] += 1

    def handle_endtag(self, tag):
        if tag not in _VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_for_every_kind_of_task(page_of, kind):
    page = page_of(kind)
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    assert not found.open
    assert found.tags["script"] == found.tags["link"] == found.tags["iframe"] == 0
    assert "://" not in text
    assert not re.search(r"url\((?!#)", text)
    pngs = {path.stem for path in page.parent.glob("*.png")}
    assert pngs >= ALWAYS | PLOTS[kind]
    assert pngs <= set(found.ids)
    for path in page.parent.glob("*.png"):
        picture = matplotlib.image.imread(path)
        assert picture.shape[1] > 500
        assert np.ptp(picture[..., :3]) > 0.5
    assert found.tags["svg"] == len(pngs)


def test_names_from_tables_are_text(page_of):
    text = page_of("binary").read_text(encoding="utf-8")
    assert SCRIPT not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; table" in text
    assert "Content-Security-Policy" in text


def test_colours_follow_the_readers_theme(page_of):
    text = page_of("binary").read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in text
    body = text[text.index("<body>") :]
    assert "var(--ink)" in body
    assert not [colours[0] for colours in style.PAGE_COLOURS.values() if colours[0] in body]


def test_statuses_differ_in_grey():
    def lightness(colour):
        red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    assert set(style.STATUS_LOOKS) == set(Status) - {Status.RUNNING}
    looks = [(look.hatch, lightness(look.colour)) for look in style.STATUS_LOOKS.values()]
    for position, (hatch, grey) in enumerate(looks):
        for other_hatch, other_grey in looks[position + 1 :]:
            assert hatch != other_hatch or abs(grey - other_grey) > 40


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_scores_over_time_end_with_those_of_the_result(make_run, kind):
    contents = Contents.of(Run(make_run(kind)))
    paths = score_trajectories(contents, lambda: True)
    outcome, metric = contents.run.summary, contents.run.metric
    assert paths.ensemble.seconds[-1] == pytest.approx(contents.clock.total)
    assert paths.ensemble.values[-1] == pytest.approx(outcome.value)
    assert paths.ensemble.test_values[-1] == pytest.approx(outcome.test_value)
    assert paths.best.values[-1] == pytest.approx(outcome.single_best.value)
    assert paths.best.test_values[-1] == pytest.approx(outcome.single_best.test_value)
    assert (np.diff(metric.cost_of(paths.best.values)) < 0).all()
    assert (np.diff(paths.best.seconds) >= 0).all()
    hurried = score_trajectories(contents, lambda: False)
    assert len(hurried.ensemble.values) == 0


def test_curves_of_reports_studies_and_estimators_agree(make_run):
    run = Run(make_run("binary"))
    shown = score_trajectories(Contents.of(run), lambda: False).best
    started = run.reader.records["start"].min() - 7.0
    kept = RunArrays.of(run, np.zeros((1, 2)), np.zeros(1), started)
    np.testing.assert_array_equal(kept.curve_validation, shown.values)
    np.testing.assert_array_equal(kept.curve_test, shown.test_values)
    np.testing.assert_allclose(kept.curve_seconds - 7.0, shown.seconds, atol=1e-5)
    over_time = performance_over_time(run)
    np.testing.assert_array_equal(over_time["single_best_optimization_score"], shown.values)
    ranked = leaderboard(run, {})
    assert ranked["value"].iloc[0] == shown.values[-1]
    assert ranked["rank"].notna().sum() == run.is_full.sum()
    assert "dummy" not in set(ranked["origin"][ranked["rank"].notna()])


def test_a_killed_run_is_shown_as_far_as_it_came(killed_run):
    assert Contents.of(Run(killed_run)).run.state == KILLED
    page = write_report(Run(killed_run))
    assert page == killed_run / "report" / "report.html"
    text = page.read_text(encoding="utf-8")
    assert "The job was killed" in text
    assert "The best trial on the validation rows" in text
    assert "Members of the ensemble" not in text


def test_a_run_without_a_trial_has_a_page(killed_run):
    for path in (killed_run / "store").glob("*.h5"):
        with h5py.File(path, "r+") as file:
            file["records"][...] = np.zeros(file["records"].shape, file["records"].dtype)
    text = write_report(Run(killed_run)).read_text(encoding="utf-8")
    assert "The job was killed" in text
    assert "Search space" in text


def test_a_run_under_way_is_shown(killed_run):
    lock = RunDirectory(killed_run).lock
    lock.acquire()
    try:
        assert "under way" in state_sentence(Contents.of(Run(killed_run)))
    finally:
        lock.release()


def test_legs_follow_each_other_on_the_clock(make_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(make_run("multilabel"), run)
    settings = Settings.from_mapping(RunDirectory(run).read_config() | {"resume": str(run), "trials": 2})
    run_here(lambda: (settings, data_of("multilabel")), None)
    contents = Contents.of(Run(run))
    assert contents.clock.numbers == (0, 1)
    ended = contents.trials.groupby("leg")["ended"]
    assert ended.max()[0] <= contents.trials[contents.trials["leg"] == 1]["began"].min() + 1e-6
    assert ended.max()[1] == pytest.approx(contents.clock.total)
    assert "leg 1" in write_report(Run(run)).read_text(encoding="utf-8")


def test_no_time_no_page(make_run, tmp_path):
    with pytest.raises(ReportTimeoutError):
        write_report(Run(make_run("dummy")), tmp_path / "out", time_left=ReportTime(time.time() + 1.0))
    assert not (tmp_path / "out").exists()


def test_the_last_line_of_a_job_tells_the_page_or_the_command(make_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(make_run("dummy"), run)
    directory = RunDirectory(run)
    outcome, settings = replace(RunSummary.from_mapping(directory.read_ensemble(), run), seconds=60.0), Settings()
    log = RankLog()
    log.open(tmp_path / "log")
    hint = f"mpi-automl report {run} writes a page"

    def concluded(seconds, summary=outcome):
        now = time.time()
        return Conclusion(summary, TimeBudget(now - 60.0, now, now, now + seconds, now + seconds + 1.5))

    assert hint in last_page(settings, concluded(1.0), log)
    assert hint in last_page(settings, concluded(1000.0, replace(outcome, seconds=6.0)), log)
    assert hint in last_page(Settings(report=False), concluded(1000.0), log)
    assert not (run / "report").exists()
    (run / "space.json").rename(run / "space")
    assert hint in last_page(settings, concluded(1000.0), log)
    assert "could not be written" in (tmp_path / "log").read_text()
    (run / "space").rename(run / "space.json")
    assert str(run / "report" / "report.html") in last_page(settings, concluded(1000.0), log)
    pngs = {path.stem for path in (run / "report").glob("*.png")}
    assert pngs >= ALWAYS | {"confusion", "learners"}
    assert "No model beat the baseline" in (run / "report" / "report.html").read_text(encoding="utf-8")


def test_mistakes_are_told(make_run, tmp_path, capsys):
    with pytest.raises(UserError, match="not a run directory"):
        write_report(Run(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="--out"):
        write_report(Run(make_run("dummy")), tmp_path / "file" / "out")
    with pytest.raises(SystemExit) as ended:
        entry(["report", str(tmp_path)])
    assert ended.value.code == 2
    assert "not a run directory" in capsys.readouterr().err
