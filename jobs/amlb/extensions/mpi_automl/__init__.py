"""The half of the framework that runs in the benchmark's own Python: hands the data over to exec.py."""

import os

from amlb.utils import call_script_in_same_dir

LAUNCHER_VARIABLES = ("OMPI_", "PRTE_", "PMIX_", "MPICH_", "HYDRA_", "FI_", "UCX_")


def setup(*args, **kwargs):
    """Make the framework's environment."""
    call_script_in_same_dir(__file__, "setup.sh", *args, **kwargs)


def run(dataset, config):
    """Run exec.py in that environment."""
    from frameworks.shared.caller import run_in_venv

    data = {
        "train": {"X": dataset.train.X, "y": dataset.train.y},
        "test": {"X": dataset.test.X, "y": dataset.test.y},
    }
    if config.measure_inference_time:
        data["inference_subsample_files"] = dataset.inference_subsample_files(fmt="parquet")
    options = {"serialization": {"sparse_dataframe_deserialized_format": "dense"}}
    # Of the environment the benchmark passes on only what is named: a launcher needs its settings and its libraries.
    kept = [name for name in os.environ if name.startswith(LAUNCHER_VARIABLES)]
    return run_in_venv(
        __file__,
        "exec.py",
        input_data=data,
        dataset=dataset,
        config=config,
        options=options,
        retained_env_vars=["TMP", "TEMP", "TMPDIR", "HOME", "LD_LIBRARY_PATH", *kept],
    )
