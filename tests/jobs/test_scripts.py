"""What all job scripts have in common, and dry runs of those whose batch system or container runtime is not here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from launching import CHECKOUT, clean_environment, default_mpi, require_environment

JOBS = CHECKOUT / "jobs"
SCRIPTS = sorted(path for kind in ("slurm/*.sbatch", "pbs/*.pbs", "lsf/*.lsf") for path in JOBS.glob(kind))
BATCH_SYSTEMS = {
    ".pbs": {"PBS_JOBID": "17.server", "PBS_O_WORKDIR": "{here}", "PBS_NODEFILE": "{here}/hosts"},
    ".lsf": {
        "LSB_JOBID": "17",
        "LS_SUBCWD": "{here}",
        "LSB_DJOB_NUMPROC": "1",
        "LSB_DJOB_HOSTFILE": "{here}/hosts",
    },
    ".sbatch": {"SLURM_JOB_ID": "17", "SLURM_NTASKS": "1", "SLURM_JOB_NODELIST": "localhost"},
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_settings_are_in_the_first_ten_lines(script):
    lines = script.read_text().splitlines()
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    settings = [number for number, line in enumerate(lines, 1) if re.match(r"(#(SBATCH|PBS|BSUB)|[A-Z]+=\$\{)", line)]
    assert max(settings) <= 10
    assert "set -euo pipefail" in lines


def test_every_script_is_clean_for_shellcheck():
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", *SCRIPTS, JOBS / "modules.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def dry_run(script: Path, here: Path, **settings: str) -> str:
    """Run a script with its batch system's variables, and a command that tells its arguments for mpi-automl."""
    commands = here / "bin"
    commands.mkdir()
    for name, body in (("mpi-automl", 'echo "ARGUMENTS $*"'), ("apptainer", 'echo "$*"; shift 4; exec "$@"')):
        (commands / name).write_text(f"#!/bin/sh\n{body}\n")
        (commands / name).chmod(0o755)
    (here / "hosts").write_text("localhost\n")
    (here / "train.csv").write_text("x,price\n1,2\n")
    environment = clean_environment(require_environment(default_mpi()))
    environment |= {name: value.format(here=here) for name, value in BATCH_SYSTEMS[script.suffix].items()}
    environment |= {"PATH": f"{commands}{os.pathsep}{environment['PATH']}", **settings}
    done = subprocess.run(
        ["bash", script], env=environment, cwd=here, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.suffix != ".sbatch"], ids=lambda path: path.name)
def test_scripts_for_pbs_and_lsf_start_ranks_by_a_real_mpirun(script, tmp_path):
    (tmp_path / "scratch").mkdir()
    said = dry_run(script, tmp_path, STAGE=str(tmp_path / "scratch"), OPTIONS="--time 90 --metric f1")
    assert f"+ mpirun -n 1 --hostfile {tmp_path}/hosts --map-by slot:PE=1 --bind-to core mpi-automl" in said
    table = tmp_path / "scratch" / "train.csv"
    arguments = f"fit {table} --target price --out runs/17 --threads 1 --time 90 --metric f1"
    assert f"ARGUMENTS {arguments}\n" in said


def test_the_container_script_starts_a_container_for_each_rank(tmp_path):
    said = dry_run(JOBS / "slurm" / "container.sbatch", tmp_path, LAUNCHER="mpirun --bind-to none -n 1")
    assert f"exec --bind {tmp_path} automl.sif mpi-automl fit train.csv" in said
    assert "ARGUMENTS fit train.csv --target price --out runs/17 --threads 1 --time auto" in said


def test_an_environment_is_sourced_first(tmp_path):
    # A shell function in place of the command of that name, which clusters have.
    environment = tmp_path / "environment.sh"
    activate = tmp_path / "venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.write_text("echo activated $UNSET_AS_MODULES_DO\n")
    environment.write_text(f'module() {{ echo "module $*"; }}\nVENV={tmp_path}/venv\nsource {JOBS}/modules.sh\n')
    said = dry_run(
        JOBS / "slurm" / "one_node.sbatch",
        tmp_path,
        SETUP=str(environment),
        LAUNCHER="mpirun --bind-to none -n 1",
    )
    assert said.splitlines()[:3] == ["module purge", "module load python/3.11 openmpi/4.1", "activated"]
