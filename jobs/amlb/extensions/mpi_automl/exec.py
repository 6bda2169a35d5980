"""The half of the framework that runs in its own environment: one fit on as many ranks as the task has cores."""

import logging
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
from frameworks.shared.callee import call_run, measure_inference_times, output_subdir, result
from frameworks.shared.utils import Timer

from mpi_automl import AutoMLClassifier, AutoMLRegressor, __version__

log = logging.getLogger(__name__)

METRICS = {
    "acc": "accuracy",
    "balacc": "balanced_accuracy",
    "auc": "roc_auc",
    "auc_ovr": "roc_auc_weighted",
    "auc_ovo": "roc_auc_ovo_weighted",
    "pr_auc": "average_precision",
    "logloss": "log_loss",
    "f1": "f1",
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_log_error",
    "rmse": "root_mean_squared_error",
    "rmsle": "root_mean_squared_log_error",
    "r2": "r2",
}
# What a rank and its trial server have in memory besides the trial, in MB.
RANK_MEMORY = 500


def run(dataset, config):
    """Fit and predict as the benchmark wants it."""
    log.info("**** mpi_automl %s ****", __version__)
    if config.metric not in METRICS:
        log.warning("Metric %s is not known here; the default is optimised.", config.metric)
    is_classification = config.type == "classification"
    options = {name: value for name, value in config.framework_params.items() if not name.startswith("_")}
    options.setdefault("metric", METRICS.get(config.metric, "auto"))
    options.setdefault("trial_memory", max(512, config.max_mem_size_mb / config.cores - RANK_MEMORY))
    automl = (AutoMLClassifier if is_classification else AutoMLRegressor)(
        time=config.max_runtime_seconds,
        seed=config.seed,
        n_jobs=config.cores,
        out=str(Path(output_subdir("mpi_automl", config)) / "run"),
        **options,
    )
    with Timer() as training:
        automl.fit(dataset.train.X, _column(dataset.train.y))
    with Timer() as predict:
        probabilities = automl.predict_proba(dataset.test.X) if is_classification else None
        predictions = automl.predict(dataset.test.X)
    if is_classification:
        # The benchmark's NumPy may be older: it can read text, but no pickled objects.
        predictions = np.asarray(predictions).astype(str)
    log.info("%d trials in %.0f s", len(automl.leaderboard()), training.duration)
    return result(
        output_file=config.output_predictions_file,
        predictions=predictions,
        truth=None,  # the benchmark has it
        probabilities=probabilities,
        probabilities_labels=automl.classes_.tolist() if is_classification else None,
        target_is_encoded=False,
        models_count=len(automl.leaderboard()),
        training_duration=training.duration,
        predict_duration=predict.duration,
        inference_times=_inference_times(automl, dataset, config),
    )


def _inference_times(automl, dataset, config):
    if not config.measure_inference_time:
        return {}

    def infer(data):
        return automl.predict(pd.read_parquet(data) if isinstance(data, str) else data)

    single = [(1, dataset.test.X.sample(1, random_state=number)) for number in range(100)]
    return {
        "file": measure_inference_times(infer, dataset.inference_subsample_files),
        "df": measure_inference_times(infer, single),
    }


def _column(y):
    return y.squeeze() if isinstance(y, pd.DataFrame) else y


def _hold_output():
    """Keep the output open a moment longer than this process lives.

    The benchmark takes the end of the output for the end of the process, and kills it as stale if that is not yet so.
    """
    # Nobody else has the pipe's other end, so that it closes when this process has gone.
    until_gone, _ = os.pipe()
    subprocess.Popen(["sh", "-c", "cat; sleep 1"], stdin=until_gone)


if __name__ == "__main__":
    call_run(run)
    _hold_output()
