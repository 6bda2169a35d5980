"""The repository of evaluations: who is dealt what, going on after a kill, packing, virtual time and portfolios."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from launching import CHECKOUT

from mpi_automl.errors import UserError
from mpi_automl.search import portfolio as package_portfolio
from mpi_automl.search.portfolio import adapt_configuration
from mpi_automl.search.vectors import VectorSpace
from mpi_automl.storage.run_lock import RunLock

sys.path.append(str(CHECKOUT / "jobs" / "benchmarks"))

from record_predictions import Recording  # noqa: E402  # after the line above, likewise below
from repository.build import BuildOptions, Dealer, build  # noqa: E402
from repository.candidates import (  # noqa: E402
    COMMITTED,
    STEPS,
    Candidate,
    load_candidates,
    make_candidates,
    reference_space,
    write_candidates,
)
from repository.evaluations import TableEvaluations, pack, read_packed, read_units  # noqa: E402
from repository.optimism import HANDICAPS, excess, regrets  # noqa: E402
from repository.portfolio import (  # noqa: E402
    PortfolioOptions,
    greedy_order,
    leave_out,
    present_order,
    write_portfolio,
)
from repository.simulator import BETWEEN, Job, SimulatedTable, anytime, area, ends  # noqa: E402
from repository.tables import Truth, read_index  # noqa: E402
from repository.units import SKIPPED, UnitFiles  # noqa: E402

PROGRAM = str(CHECKOUT / "jobs" / "benchmarks" / "repository")
QUICK = {
    "classifier": ("lda", "decision_tree", "no_such_learner", "k_nearest_neighbors", "gaussian_nb"),
    "regressor": ("ridge", "decision_tree", "no_such_learner", "k_nearest_neighbors"),
}


def make_tables(directory):
    """Two tables of classes and one of values."""
    directory.mkdir()
    index = []
    for seed, name in enumerate(("first", "second", "values")):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(rng.normal(size=(160, 3)), columns=list("abc"))
        frame["kind"] = rng.choice(["x", "y"], 160)
        signal_ = frame["a"] + 0.5 * (frame["kind"] == "x") + 0.3 * rng.normal(size=160)
        frame["target"] = signal_ if name == "values" else np.where(signal_ > 0.2, "yes", "no")
        frame.to_csv(directory / f"{name}.csv", index=False)
        task = "regression" if name == "values" else "classification"
        facts = {"name": name, "file": f"{name}.csv", "target": "target", "task": task, "categorical": ["kind"]}
        index.append(facts)
    (directory / "index.json").write_text(json.dumps(index))
    return directory


def make_lists(directory):
    directory.mkdir()
    for step, learners in QUICK.items():
        made = [
            Candidate("default", learner, {f"{step}:__choice__": learner}, position=len(learners) - i)
            for i, learner in enumerate(learners)
        ]
        write_candidates(directory / f"{step}.json", made)
    return directory


@pytest.fixture(scope="module")
def begun(tmp_path_factory, launch):
    """A repository whose ranks were killed, and that others have then finished."""
    here = tmp_path_factory.mktemp("repository")
    tables, lists, out = make_tables(here / "tables"), make_lists(here / "lists"), here / "out"
    command = [PROGRAM, "build", str(tables), str(out), "--candidates", str(lists), "--nice", "0"]
    files = UnitFiles(out)
    with launch.start(2, sys.executable, *command) as started:
        deadline = time.monotonic() + 60
        while len(finished := list(out.glob("units/*/0*.npz"))) < 2 and time.monotonic() < deadline:
            assert started.process.poll() is None, started.output()
            time.sleep(0.01)
        started.kill()
    before = {path: path.stat().st_mtime_ns for path in out.glob("units/*/0*.npz")}
    assert set(finished) <= set(before)
    done = launch(2, sys.executable, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    return files, before, done, tables, lists


def test_a_killed_build_goes_on_where_it_was(begun):
    files, before, done, tables, _ = begun
    for entry in read_index(tables):
        assert files.finished(entry.name) == list(range(len(QUICK[entry.step])))
    assert all(path.stat().st_mtime_ns == written for path, written in before.items())
    n_units = 2 * len(QUICK["classifier"]) + len(QUICK["regressor"])
    assert f"{n_units - len(before)} units are left" in done.stdout
    assert done.stdout.count(" held out ") == n_units - len(before)
    assert list((files.path / "claims").iterdir()) == []


def test_a_table_that_cannot_be_read_ends_both_ranks_after_the_others(begun, tmp_path, launch):
    _, _, _, _, lists = begun
    tables = make_tables(tmp_path / "tables")
    pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "target": [1.0, 1.0, 1.0, 1.0]}).to_csv(tables / "values.csv", index=False)
    command = [PROGRAM, "build", str(tables), str(tmp_path / "out"), "--candidates", str(lists), "--candidates-to", "1"]
    done = launch(2, sys.executable, *command)
    assert done.returncode != 0
    assert "repository: " in done.stderr
    assert not done.survivors
    assert [UnitFiles(tmp_path / "out").finished(name) for name in ("first", "second", "values")] == [[0], [0], []]


def test_a_unit_has_predictions_and_costs_that_follow_from_them(begun):
    files, _, _, _, _ = begun
    truth, unit = files.read_truth("first"), files.read("first", 0)
    predictions = truth.decode(unit.predictions)
    assert len(truth.y) == 120
    assert predictions.shape == (120, 2)
    assert truth.decode(unit.held_out).shape == (40, 2)
    cost = truth.cost_metric.cost(truth.y, predictions, truth.type)
    assert cost == pytest.approx(unit.cost, abs=2e-3)
    assert len(unit.fold_costs) == 5
    assert np.mean(unit.fold_costs) == pytest.approx(unit.cost, abs=0.1)
    assert 0 < unit.seconds < 60
    assert np.isfinite(unit.scores).all()


def test_values_are_kept_on_their_own_scale(begun):
    files, _, _, _, _ = begun
    truth, unit = files.read_truth("values"), files.read("values", 0)
    cost = truth.cost_metric.cost(truth.y_test, truth.decode(unit.held_out), truth.type)
    assert cost == pytest.approx(unit.held_out_cost, rel=1e-5)


def test_what_a_space_does_not_have_is_skipped(begun):
    files, _, _, _, _ = begun
    assert [files.read("first", number).status == SKIPPED for number in range(4)] == [False, False, True, False]
    assert not files.read("values", 2).succeeded


def test_other_candidates_are_refused_for_a_repository_that_was_begun(begun, tmp_path):
    files, _, _, tables, lists = begun
    other = make_lists(tmp_path / "other")
    write_candidates(other / "regressor.json", load_candidates(lists / "regressor.json")[:2])
    with pytest.raises(UserError, match="was begun with other candidates"):
        build(BuildOptions(files.path, tables, candidates=other, nice=0))


def test_a_list_of_candidates_may_grow(begun, tmp_path):
    files, _, _, tables, lists = begun
    grown, copied = tmp_path / "lists", tmp_path / "out"
    shutil.copytree(lists, grown)
    shutil.copytree(files.path, copied)
    more = Candidate("random", "gaussian_nb", {"classifier:__choice__": "gaussian_nb"})
    write_candidates(grown / "classifier.json", [*load_candidates(lists / "classifier.json"), more])
    build(BuildOptions(copied, tables, candidates=grown, seconds=0.0, nice=0))
    assert load_candidates(UnitFiles(copied).candidates("classifier"))[-1] == more
    first = read_units(copied).tables[0]
    assert first.numbers["status"][-1] == -1
    assert np.isfinite(first.numbers["cost"][0])


def test_early_candidates_are_dealt_on_all_tables_before_later_ones(tmp_path):
    tables = read_index(make_tables(tmp_path / "tables"))
    files = UnitFiles(tmp_path / "out")
    files.make([table.name for table in tables])
    files.unit("second", 0).touch()
    held = RunLock(files.claim("first", 1))
    assert held.try_acquire()
    dealer = Dealer(files, tables, {"classifier": 2, "regressor": 3})
    # Finished after the list was made, by another process.
    files.unit("values", 1).touch()
    dealt = []
    while (taken := dealer.take()) is not None:
        (table, number), _ = taken
        dealt.append((table.name, number))
    assert dealt == [("first", 0), ("values", 0), ("second", 1), ("values", 2)]
    assert Dealer(files, tables, {"classifier": 2, "regressor": 3}).take() is None


def test_a_packed_repository_is_the_same(begun, tmp_path):
    files, _, _, _, _ = begun
    repository = read_units(files.path)
    assert pack(repository, tmp_path / "packed.zip")
    packed = read_packed(tmp_path / "packed.zip")
    assert packed.candidates == repository.candidates
    for one, other in zip(repository.tables, packed.tables, strict=True):
        assert one.name == other.name
        for field, values in one.numbers.items():
            np.testing.assert_array_equal(values, other.numbers[field])
        np.testing.assert_array_equal(one.truth.y, other.truth.y)
        np.testing.assert_array_equal(one.predictions.astype(np.float16), other.predictions)
        np.testing.assert_array_equal(one.rows, other.rows)
    assert not pack(repository, tmp_path / "small.zip", most=1)
    small = read_packed(tmp_path / "small.zip")
    assert len(small.tables[0].predictions) == 0
    np.testing.assert_array_equal(small.tables[0].numbers["cost"], repository.tables[0].numbers["cost"])
    assert (tmp_path / "small.zip").stat().st_size < (tmp_path / "packed.zip").stat().st_size


def test_curves_of_a_real_repository_fall_to_what_all_candidates_give(begun):
    files, _, _, _, _ = begun
    repository = read_units(files.path)
    for evaluations in repository.of_task("binary"):
        table = SimulatedTable(evaluations)
        order, times = list(range(table.n_candidates)), [4.0, 1000.0]
        curve = anytime(table, order, Job(), times)
        assert np.isinf(curve[0])
        assert curve[1] == table.ensemble(order)[0]
        assert table.scaled(curve)[1] == pytest.approx(0.0)


def test_portfolios_are_written_as_the_package_reads_them(begun, tmp_path):
    files, _, _, _, _ = begun
    arguments = ["portfolio", str(files.path), "--write", str(tmp_path), "--ranks", "1"]
    done = subprocess.run([sys.executable, PROGRAM, *arguments], capture_output=True, text=True, check=True)
    for task in ("binary", "regression"):
        content = json.loads((tmp_path / f"{task}.json").read_text())
        step = "regressor" if task == "regression" else "classifier"
        learners = [entry[f"{step}:__choice__"] for entry in content["configurations"]]
        assert learners
        assert "no_such_learner" not in learners
        assert f"{task}, " in done.stdout
    assert "lower on" in done.stdout
    assert "auto-sklearn" in content["notices"][0]


def test_an_ablation_without_boosting_in_the_table_changes_nothing(begun):
    files, _, _, _, _ = begun
    arguments = ["ablation", str(files.path), "--ranks", "1", "--times", "20", "600"]
    done = subprocess.run([sys.executable, PROGRAM, *arguments], capture_output=True, text=True, check=True)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if "|" in line]
    found = {row[0]: row[1:] for row in rows if len(row) == 5}
    assert {found[part][3] for part in ("nothing", "early-stopped boosting")} == {"0, 0"}
    assert found["early-stopped boosting"] == found["nothing"]
    assert float(found["nothing"][2]) <= float(found["nothing"][0])


def test_flattered_candidates_are_seen():
    evaluations = make_evaluations((0.6, 0.8, 1.0), (1.0,) * 3)
    kinds = [Candidate("random", learner, {}) for learner in ("lightgbm", "extra_trees", "extra_trees")]
    held_out = evaluations.numbers["held_out_cost"]
    evaluations.numbers["cost"][:] = [0.97 * held_out[2], held_out[1], held_out[2]]
    found = dict(zip(HANDICAPS, regrets(evaluations, kinds), strict=True))
    assert found[0.0] == found[0.02] == pytest.approx(np.log(held_out[0] / held_out[2]))
    assert found[0.05] == 0.0
    assert excess(evaluations, kinds) == pytest.approx(np.log(held_out[0] / held_out[2] / 0.97))


def test_recordings_have_the_predictions_of_the_units(begun, tmp_path):
    files, _, _, _, _ = begun
    subprocess.run([sys.executable, PROGRAM, "recordings", str(files.path), str(tmp_path)], check=True)
    recording = Recording.load(tmp_path / "values.npz")
    unit, truth = files.read("values", 0), files.read_truth("values")
    assert recording.pipelines[0] == "0"
    np.testing.assert_array_equal(recording.y_held_out, truth.y_test)
    np.testing.assert_allclose(recording.held_out[0], truth.decode(unit.held_out))


def test_the_package_begins_with_the_portfolio_of_the_task(tmp_path, monkeypatch):
    (tmp_path / "portfolios").mkdir()
    entry = {"regressor:__choice__": "extra_trees", "regressor:extra_trees:min_samples_leaf": 7}
    write_portfolio(tmp_path / "portfolios" / "regression.json", [Candidate("random", "extra_trees", entry)], [0], {})
    monkeypatch.setattr(package_portfolio.resources, "files", lambda package: tmp_path)
    space = VectorSpace(reference_space("regressor"))
    first = package_portfolio.portfolio(space)[0]
    np.testing.assert_array_equal(first, adapt_configuration(space, entry))


def make_evaluations(qualities, durations, seed=0, n=400):
    """A table of two classes on which candidates with independent errors are as good and take as long as is given."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, 2 * n)
    noise = rng.normal(size=(len(qualities), 2 * n))
    positive = 1 / (1 + np.exp(-(np.array(qualities)[:, None] * (2 * y - 1) + noise)))
    predictions = np.stack([1 - positive, positive], axis=-1).astype(np.float16)
    truth = Truth("binary", "roc_auc", y[:n], y[n:], np.arange(n, dtype=np.int8) % 5)
    inside, outside = (truth.decode(predictions[:, part]) for part in (slice(n), slice(n, None)))
    costs = [truth.cost_metric.cost(truth.y, p, truth.type) for p in inside]
    held_out = [truth.cost_metric.cost(truth.y_test, p, truth.type) for p in outside]
    numbers = {"status": np.ones(len(costs)), "cost": np.array(costs), "held_out_cost": np.array(held_out)}
    seconds = np.array(durations, dtype=float)
    numbers |= {"seconds": seconds, "cpu_seconds": seconds}
    rows = np.arange(len(costs))
    return TableEvaluations(
        f"table{seed}", truth, numbers, np.zeros((len(costs), 5)), rows, predictions[:, :n], predictions[:, n:]
    )


def test_trials_end_as_they_are_dealt_over_the_ranks():
    table = SimulatedTable(make_evaluations([1, 1, 1, 1, 1], [10, 1, 2, 30, 4]))
    found = ends(table, [0, 1, 2, 3, 4], Job(ranks=2, start=5.0, limit=20.0))
    expected = [(6 + BETWEEN, 1), (15 + BETWEEN, 0), (17 + 2 * BETWEEN, 2), (21 + 3 * BETWEEN, 4)]
    assert [candidate for _, candidate in found] == [candidate for _, candidate in expected]
    np.testing.assert_allclose([end for end, _ in found], [end for end, _ in expected])


def test_a_curve_follows_the_trials_that_have_ended():
    table = SimulatedTable(make_evaluations([0.5, 1.0], [10, 10]))
    curve = anytime(table, [0, 1], Job(start=5.0), [10.0, 20.0, 30.0])
    assert np.isinf(curve[0])
    assert curve[1] == pytest.approx(table.held_out_costs[0], abs=1e-6)
    assert curve[2] < curve[1]


def test_an_order_begins_with_what_improves_most_for_its_time():
    qualities, durations = [0.9, 0.8, 0.05, 1.0, 0.05, 0.1], [9, 1, 1, 60, 1, 1]
    tables = [SimulatedTable(make_evaluations(qualities, durations, seed)) for seed in range(3)]
    order = greedy_order(tables, PortfolioOptions(job=Job(ranks=1)))
    assert order[:2] == [1, 0]
    times = np.geomspace(6, 300, 20)
    areas = [
        np.mean([area(table, anytime(table, chosen, Job(), times), times) for table in tables])
        for chosen in (order, [3, 0, 1, 2])
    ]
    assert areas[0] < areas[1]


def test_a_candidate_that_is_not_known_on_every_table_is_not_chosen():
    first, second = (make_evaluations([0.9, 0.8], [1, 1], seed) for seed in range(2))
    missing = {**second.numbers, "status": np.array([-1, 1])}
    second = replace(second, numbers=missing, rows=np.array([-1, 0]), predictions=second.predictions[1:])
    second = replace(second, held_out=second.held_out[1:])
    order = greedy_order([SimulatedTable(first), SimulatedTable(second)], PortfolioOptions())
    assert order == [1]


def test_a_table_left_out_is_judged_by_an_order_of_the_others():
    good, bad = [1.5, 0.05], [0.05, 1.5]
    tables = [SimulatedTable(make_evaluations(good if seed else bad, [1, 1], seed)) for seed in range(4)]
    # Only the first of two trials has ended by then.
    rows = leave_out(tables, [1, 0], PortfolioOptions(size=1), [Job()], [6.5, 7.0])
    assert [row.own < row.other for row in rows] == [False, True, True, True]


@pytest.mark.parametrize("step", STEPS)
def test_candidates_are_allowed_differ_and_begin_with_every_learner(step):
    space = VectorSpace(reference_space(step))
    made = make_candidates(step, 120, None)
    vectors = [adapt_configuration(space, candidate.values) for candidate in made]
    assert all(vector is not None for vector in vectors)
    assert len({json.dumps(asdict(candidate), sort_keys=True) for candidate in made}) == len(made)
    learners = {str(name) for name in space.space[f"{step}:__choice__"].choices}
    defaults = [candidate.learner for candidate in made if candidate.source == "default"]
    assert set(defaults) == learners
    assert [candidate.learner for candidate in made[: len(defaults)]] == defaults
    # Learners come in turn, whatever their candidates come from.
    assert {"lightgbm", "catboost", "mlp", "extra_trees"} <= {one.learner for one in made[len(defaults) :][:12]}
    assert any(candidate.source == "random" for candidate in made)
    present = present_order(made)
    assert [made[i].position for i in present] == list(range(len(present)))


@pytest.mark.parametrize("step", STEPS)
def test_the_committed_candidates_fit_the_space(step):
    space = VectorSpace(reference_space(step))
    candidates = load_candidates(COMMITTED / f"{step}.json")
    assert len(candidates) == 250
    fitting = [adapt_configuration(space, candidate.values) is not None for candidate in candidates]
    assert np.mean(fitting) > 0.95


def test_half_precision_tells_probabilities_near_one_apart():
    truth = Truth("binary", "roc_auc", np.array([0, 1]), np.array([0, 1]), np.zeros(2, np.int8))
    positive = np.array([0.99991, 0.99995, 1e-5, 0.5])
    predictions = np.stack([1 - positive, positive], axis=-1)
    decoded = truth.decode(truth.encode(predictions))
    np.testing.assert_allclose(decoded, predictions, rtol=2e-3)
    assert decoded[0, 1] < decoded[1, 1]
