"""Adapter for scikit-learn's random forest, histogram gradient boosting, and logistic or ridge regression.

``python -m mpi_automl.study.baseline random_forest job.json``: see `mpi_automl.study.external_systems` for the
contract. Options of the study's file go to the learner. Columns are imputed, encoded and scaled as it needs them;
nothing is tuned.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Trees between two looks at the clock.
_STEP = 50
_FIT_SHARE = 0.7
"""Of the time, the part after which a forest gets no more trees."""
# Histogram boosting takes no more than 255 categories of a column.
_MOST_CATEGORIES = 250


def main(arguments: Sequence[str]) -> int:
    """Do the job that a file describes.

    Parameters
    ----------
    arguments : sequence of str
        Name of the learner, and the path of the job's description.
    """
    started = time.monotonic()
    kind, job = arguments[0], json.loads(Path(arguments[1]).read_text(encoding="utf-8"))
    train, test = read(job, "train"), read(job, "test")
    y = train[job["target"]]
    X, X_test = train.drop(columns=job["target"]), test
    X, X_test = (table.drop(columns=job["text"]) for table in (X, X_test))
    model = build(kind, job, X)
    target = y if y.shape[1] > 1 else y.iloc[:, 0]
    if kind == "random_forest":
        fit_in_stages(
            model, X, target, int(job["options"].get("n_estimators", 500)), started + _FIT_SHARE * job["seconds"]
        )
    else:
        model.fit(X, target)
    predicted(model, X_test, job).to_csv(job["predictions"], index=False)
    return 0


def read(job: Mapping[str, Any], part: str) -> pd.DataFrame:
    """One of the tables; classes and categories stay the texts that they are in the file."""
    import pandas as pd

    labels = job["target"] if job["classes"] else []
    texts = dict.fromkeys([*job["categorical"], *labels], str)
    header = pd.read_csv(job[part], nrows=0).columns
    # A label may be called "NA"; a missing feature is an empty cell.
    missing = {name: [""] for name in header if name not in labels}
    return pd.read_csv(job[part], dtype=texts, na_values=missing, keep_default_na=False, low_memory=False)


def build(kind: str, job: Mapping[str, Any], X: pd.DataFrame) -> Any:
    """A pipeline from the raw table to predictions.

    Parameters
    ----------
    kind : {"random_forest", "hist_gradient_boosting", "logistic_regression"}
    job : mapping
    X : DataFrame
    """
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    categorical = [name for name in X if name in job["categorical"] or X[name].dtype.kind not in "biuf"]
    numerical = [name for name in X if name not in categorical]
    learner = _learner(kind, job, len(categorical))
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=float("nan"), max_categories=_MOST_CATEGORIES
    )
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=_MOST_CATEGORIES)
    if kind == "hist_gradient_boosting":
        columns = make_column_transformer((codes, categorical), ("passthrough", numerical))
    elif kind == "random_forest":
        columns = make_column_transformer((one_hot, categorical), (SimpleImputer(strategy="median"), numerical))
    else:
        scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        columns = make_column_transformer((one_hot, categorical), (scaled, numerical))
    return make_pipeline(columns, learner)


def _learner(kind: str, job: Mapping[str, Any], n_categorical: int) -> Any:
    from sklearn import ensemble, linear_model
    from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor

    is_class, many = job["task"] in ("binary", "multiclass", "multilabel"), len(job["target"]) > 1
    suffix = "Classifier" if is_class else "Regressor"
    options = dict(job["options"])
    if kind == "random_forest":
        forest = getattr(ensemble, f"RandomForest{suffix}")
        return forest(**{**options, "n_estimators": _STEP}, n_jobs=job["cores"], random_state=job["seed"])
    if kind == "hist_gradient_boosting":
        boosting = getattr(ensemble, f"HistGradientBoosting{suffix}")
        learner = boosting(**options, random_state=job["seed"], categorical_features=list(range(n_categorical)) or None)
    elif is_class:
        learner = linear_model.LogisticRegression(**{"max_iter": 1000, **options})
    else:
        return linear_model.Ridge(**options)
    return (MultiOutputClassifier if is_class else MultiOutputRegressor)(learner) if many else learner


def fit_in_stages(model: Any, X: pd.DataFrame, y: Any, trees: int, until: float) -> None:
    """Fit a forest some trees at a time, as long as there is time."""
    columns, forest = model[0], model[-1]
    encoded = columns.fit_transform(X, y)
    forest.set_params(warm_start=True, n_estimators=min(_STEP, trees))
    forest.fit(encoded, y)
    while forest.n_estimators < trees and time.monotonic() < until:
        forest.set_params(n_estimators=min(forest.n_estimators + _STEP, trees))
        forest.fit(encoded, y)


def predicted(model: Any, X: pd.DataFrame, job: Mapping[str, Any]) -> pd.DataFrame:
    """Predictions with the header that the contract asks for."""
    import numpy as np
    import pandas as pd

    if job["classes"]:
        found = pd.DataFrame(model.predict_proba(X), columns=list(map(str, model[-1].classes_)))
        return found.reindex(columns=job["classes"], fill_value=0.0)
    if job["task"] == "multilabel":
        columns = [np.asarray(shares)[:, -1] for shares in model.predict_proba(X)]
        return pd.DataFrame(dict(zip(job["target"], columns, strict=True)))
    return pd.DataFrame(np.asarray(model.predict(X)).reshape(len(X), -1), columns=job["target"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
