"""One rank fails before or between the places where ranks meet: every rank ends with the same error, none waits."""

from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer

PROGRAMS = Path(__file__).parent / "programs"
CHEAP = ["--trials", "2", "--time", "40", "--include", "classifier:gaussian_nb", "--report", "no"]
SAID = {
    "one class on rank 0": "cannot be trained when there is only one class",
    "no data on rank 0": "ValueError: Expected 2D array",
    "a parameter on rank 1": "trials",
    "refit of a model that rank 1 has not": "not fitted",
    "refit of a model that rank 0 has not": "not fitted",
    "an ensemble of a run that rank 1 does not know": "not fitted",
}
"""What the sentence holds; where nothing is named, it is the planted one."""
CASES = [
    "one class on rank 0",
    "no data on rank 0",
    "a parameter on rank 1",
    "the server on rank 1",
    "the task on rank 0",
    "the node's copy on rank 0",
    "the plan on rank 0",
    "the log on rank 1",
    "the store on rank 1",
    "the selection on rank 0",
    "the conclusion on rank 0",
    "refit of a model that rank 1 has not",
    "refit of a model that rank 0 has not",
    "an ensemble of a run that rank 1 does not know",
    "predictions on rank 1",
    "writing predictions on rank 0",
    "evaluation on rank 1",
    "importance on rank 1",
    "rebuilding on rank 0",
]


@pytest.fixture(scope="module")
def lines(launch, tmp_path_factory):
    """What each rank said of each case, from one launch."""
    place = tmp_path_factory.mktemp("planted")
    made = launch(1, "python", "-m", "mpi_automl", "example", *CHEAP, "--out", place / "run", timeout=90)
    assert made.returncode == 0, made.stderr
    data = load_breast_cancer(as_frame=True)
    data.data.assign(target=data.target_names[data.target])[:20].to_csv(place / "rows.csv", index=False)
    done = launch(2, "python", PROGRAMS / "planted_failures.py", place / "run", timeout=240)
    assert not done.survivors
    said = {}
    for line in done.stdout.splitlines():
        if line.count(" | ") >= 2:
            name, rank, text = line.split(" | ", 2)
            said.setdefault(name, {})[int(rank)] = text
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return said


@pytest.mark.parametrize("case", CASES)
def test_every_rank_ends_with_the_same_error(lines, case):
    said = lines[case]
    assert set(said) == {0, 1}
    assert said[0] == said[1]
    assert SAID.get(case, "Planted") in said[0]


def test_the_data_of_rank_0_suffice(lines):
    said = lines["data on rank 0 alone"]
    assert said[0] == said[1]
    assert said[0].startswith("3 columns")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("mpi_automl.cli.fit:settings_from", "rank 1: Planted."),
        ("mpi_automl.evaluation.evaluator:Evaluator.poll", "Planted."),
        ("mpi_automl.job.search_loop:SearchLoop.run", "Planted."),
    ],
    ids=["before MPI", "the trial server", "the search"],
)
def test_a_mistake_that_only_one_rank_meets_ends_all(launch, tmp_path, target, sentence):
    load_breast_cancer(as_frame=True).frame.to_csv(tmp_path / "t.csv", index=False)
    words = ["fit", tmp_path / "t.csv", "--target", "target", *CHEAP, "--out", tmp_path / "run"]
    done = launch(2, "python", PROGRAMS / "mistake_of_one_rank.py", target, "1", *words, timeout=60)
    assert done.returncode == 2
    assert sentence in done.stderr
    # Trial servers that still import the learners end some seconds later.
    assert not [line for line in done.survivors if "mistake_of_one_rank" in line]
