"""The half of the framework that runs in the benchmark's own Python: hands the data over to exec.py."""

from amlb.utils import call_script_in_same_dir


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
    # The launcher must be found, and so must the libraries of the modules that are loaded.
    kept = ["TMP", "TEMP", "TMPDIR", "LD_LIBRARY_PATH"]
    return run_in_venv(
        __file__,
        "exec.py",
        input_data=data,
        dataset=dataset,
        config=config,
        options=options,
        retained_env_vars=kept,
    )
