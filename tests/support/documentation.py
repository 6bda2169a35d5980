"""The fenced blocks of README and docs/, and running their commands at a size that suits a test.

A block of commands is marked ``sh`` when a test runs it, and ``text`` when it is only shown, because it takes
a network, a cluster or an installation.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from launching import CHECKOUT, clean_environment, default_mpi, require_environment

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
_QUICK = "--trials 2 --report false"
_QUICK_LEARNERS = {
    "regressor": "--include regressor:decision_tree,regressor:ridge,regressor:ard_regression",
    "classifier": "--include classifier:gaussian_nb,classifier:decision_tree",
}
_QUICK_EXAMPLES = {
    "study.toml": {
        "ranks = 2": "ranks = 1",
        '"15m"': '"60s"',
        "seeds = 5": "seeds = 1",
        "ensemble_size = 50": 'trials = 2\nresampling = "holdout"',
    },
}
_SHOWN_TARGETS = {"price": "regressor", "class": "classifier"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    language : str
        What follows the opening fence.
    lines : tuple of str
    """

    language: str
    lines: tuple[str, ...]

    @property
    def commands(self) -> list[str]:
        """Commands, without comments and with continued lines put together."""
        text = "\n".join(re.sub(r"(^|\s+)# .*$", "", line) for line in self.lines).replace("\\\n", " ")
        return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip()]


def pages() -> list[Path]:
    """README.md and every page of docs/."""
    return [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    return [Block(match["language"].strip(), tuple(match["body"].splitlines())) for match in _FENCE.finditer(text)]


def quick(command: str) -> str:
    """The same command with two ranks, few trials, cheap learners and no page: an hour is too long for a test."""
    command = re.sub(r"\bmpirun -n \d+", "mpirun -n 2", command)
    is_example = re.search(r"python -m mpi_automl(?: --|$)|mpi-automl example", command)
    is_fit = re.search(r"(?:mpi-automl|mpi_automl) fit ", command)
    if not (is_example or is_fit) or "--help" in command:
        return command
    target = re.search(r"--target (\w+)", command)
    kind = "classifier" if is_example else _SHOWN_TARGETS.get(target[1] if target else "price", "regressor")
    return f"{command} {_QUICK}" if "--include" in command else f"{command} {_QUICK} {_QUICK_LEARNERS[kind]}"


@dataclass
class Place:
    """A directory with tables in which commands of the pages are run, each command once.

    Attributes
    ----------
    directory : Path
    done : dict of str to str
        What each command that was run, as `quick` makes it, printed on its standard output.
    """

    directory: Path
    done: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, directory: Path) -> Place:
        """Write the tables that the pages name, and the example modules."""
        rng = np.random.default_rng(0)
        table = pd.DataFrame(rng.random((160, 3)), columns=["size", "age", "price"])
        table["price"] += table["size"]
        table[:100].to_csv(directory / "train.csv", index=False)
        table[100:].to_csv(directory / "test.csv", index=False)
        table[100:].drop(columns="price").to_csv(directory / "new.csv", index=False)
        credit = table.assign(**{"class": np.where(table["size"] > 0.5, "good", "bad")}).drop(columns="price")
        credit.to_csv(directory / "credit.csv.gz", index=False)
        for example in (CHECKOUT / "docs" / "examples").glob("*.*"):
            shutil.copy(example, directory)
        for name, shorter in _QUICK_EXAMPLES.items():
            _make_quick(directory / name, shorter)
        environment = require_environment(default_mpi())
        program = directory / "bin" / "mpi-automl"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {environment.python} -m mpi_automl "$@"\n')
        program.chmod(0o755)
        return cls(directory)

    def run(self, block: Block, timeout: float = 200.0) -> str:
        """Run the commands of a block in one shell; gives what they printed.

        Raises
        ------
        AssertionError
            When one of them fails.
        """
        wanted = [quick(line) for line in block.commands]
        commands = [line for line in dict.fromkeys(wanted) if line not in self.done]
        if not commands:
            return "".join(self.done[line] for line in wanted)
        environment = require_environment(default_mpi())
        variables = clean_environment(environment)
        variables["PATH"] = f"{self.directory / 'bin'}:{environment.mpirun.parent}:{variables['PATH']}"
        script = "\n".join(f'echo "$ "{_quoted(line)}\n{line}' for line in commands)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env=variables,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        said = re.split(r"^\$ .*\n", done.stdout, flags=re.MULTILINE)[1:]
        self.done |= dict(zip(commands, said, strict=True))
        return "".join(self.done[line] for line in wanted)


def _make_quick(example: Path, shorter: dict[str, str]) -> None:
    text = example.read_text(encoding="utf-8")
    for shown, small in shorter.items():
        assert shown in text
        text = text.replace(shown, small)
    example.write_text(text, encoding="utf-8")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
