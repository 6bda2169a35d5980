"""Every command of README and docs/ is run, or is marked as one that is only shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documentation import Block, Place, blocks, pages
from launching import CHECKOUT
from script_help import helps_of

_PROGRAMS = ("mpirun ", "mpiexec ", "srun ", "sbatch ", "python ", "python3 ", "mpi-automl ", "pip ", "bash ", "conda ")
_ANY_PROGRAM = (
    r"([A-Z_]+=\S+ )*(\S*/)?(for|eval|\.|module|spack|apptainer|apt|cp|" + "|".join(map(str.strip, _PROGRAMS)) + ") "
)
_MEASURING = re.compile(
    r"(?:^|\s)python (?P<script>(?:jobs|tests/campaigns)/\S+\.py|jobs/benchmarks/repository)(?P<words>.*)"
)
_OWN_SCRIPTS = ("bash jobs/quickstart.sh", "bash tests/run.sh", "bash tests/lower_bounds.sh", "bash .ci/run")
_SHOWN = {
    r"(\S*/)?(pip|python3) (install|-m venv)": "jobs/quickstart.sh and tests/run.sh do it",
    r"\. \S+/activate": "environments are used by their path in the scripts",
    r"apt install": "tests/environment/system_packages.sh does it",
    r"CC=mpicc HDF5_MPI=ON \S*( HDF5_DIR=\S+ )?": "tests/environment/parallel_h5py.sh does it",
    r"(conda|spack|module|apptainer) ": "takes what only some clusters have",
    r"sbatch |cp jobs/slurm/|TABLE=\S+ TARGET=\S+ OPTIONS=.* sbatch ": "tests/jobs/test_slurm_scripts.py does it",
    r"mpi-automl study submit study.toml": "tests/study/test_slurm_array.py does it",
    r"git clone \S+/automlbenchmark|python3.9 -m venv|\S+ \S+/jobs/amlb/make_tables.py|.*python runbenchmark.py ": (
        "tests/campaigns/amlb.py does it with a checkout of the benchmark"
    ),
    r".*openml:31": "takes a network",
}
"""Commands that are only shown, and who runs them instead, or why nobody can."""
# These begin with a run of their own, so that runs/price is not the one of the other pages.
_ALONE = ("resuming.md",)


def is_measuring(block: Block) -> bool:
    """Whether a block shows how the figures of a page were measured, which takes minutes to hours."""
    return all(_MEASURING.search(command) for command in block.commands)


def is_own_script(block: Block) -> bool:
    return all(command.startswith(_OWN_SCRIPTS) for command in block.commands)


def executed(page: Path) -> list[Block]:
    marked = [block for block in blocks(page) if block.language == "sh"]
    return [block for block in marked if not is_measuring(block) and not is_own_script(block)]


EXECUTED = sorted((page for page in pages() if executed(page)), key=lambda page: page.name != "README.md")
MEASURING = sorted(
    {
        command
        for page in pages()
        for block in blocks(page)
        for command in block.commands
        if block.language == "sh" and _MEASURING.search(command)
    }
)


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place.make(tmp_path_factory.mktemp("pages"))


@pytest.mark.launches
@pytest.mark.parametrize("page", EXECUTED, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_the_commands_of_a_page_in_their_order(page: Path, shared_place: Place, tmp_path: Path) -> None:
    place = Place.make(tmp_path) if page.name in _ALONE else shared_place
    said = "".join(place.run(block) for block in executed(page))
    if page.name == "resuming.md":
        for words in (
            "Resuming runs/price",
            "nothing is left to do",
            "MPI_AUTOML_TIME_LEFT tells the time left",
            "2 legs",
            '"state": "finished"',
        ):
            assert words in said


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_every_block_of_commands_says_whether_it_is_run(page: Path) -> None:
    for block in blocks(page):
        if block.language == "":
            assert not [line for line in block.lines if line.startswith(_PROGRAMS)], block.lines
        if block.language == "text":
            commands = [line for line in block.commands if re.match(_ANY_PROGRAM, line)]
            assert not [line for line in commands if not re.match("|".join(_SHOWN), line)], block.lines
        if block.language == "python":
            compile("\n".join(block.lines), page.name, "exec")


def script_and_words(command: str) -> tuple[tuple[str, ...], str]:
    """The script with its first word, which may be a verb with options of its own, and all words after the script."""
    found = _MEASURING.search(command)
    assert found
    words = found["words"]
    return (found["script"], *(word for word in words.split()[:1] if not word.startswith("-"))), words


@pytest.fixture(scope="module")
def helps() -> dict[tuple[str, ...], tuple[int, str]]:
    return helps_of(sorted({script_and_words(command)[0] for command in MEASURING}), CHECKOUT)


@pytest.mark.slow
@pytest.mark.parametrize("command", MEASURING)
def test_the_options_of_measuring_commands_exist(command: str, helps: dict[tuple[str, ...], tuple[int, str]]) -> None:
    script, words = script_and_words(command)
    status, text = helps[script]
    assert status == 0, text
    for option in re.findall(r"--[\w-]+", words):
        assert option in text


def test_the_two_commands_of_the_readme_are_run_by_ci() -> None:
    ci = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")
    for command in ("bash jobs/quickstart.sh", "bash tests/run.sh"):
        assert command in ci


def test_the_readme_links_to_files_that_are_there() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", (CHECKOUT / "README.md").read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (CHECKOUT / link).exists()] == []
