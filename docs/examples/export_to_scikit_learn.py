"""The ensemble of a run as one scikit-learn object: ``python export_to_scikit_learn.py RUN ROWS.csv``."""

import sys

import pandas as pd
import skops.io

from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.ensemble.saved_pipelines import trusted_types
from mpi_automl.ensemble.sklearn_export import save_estimator, to_sklearn

if __name__ == "__main__":
    run, rows = sys.argv[1], pd.read_csv(sys.argv[2])
    model = EnsembleModel.load(f"{run}/model")
    save_estimator(to_sklearn(model), "exported.skops")

    # Elsewhere: a pipeline of scikit-learn's, loaded without unpickling anything.
    pipeline = skops.io.load("exported.skops", trusted=trusted_types())
    print(pipeline)
    print(pipeline.predict(rows)[:5])
