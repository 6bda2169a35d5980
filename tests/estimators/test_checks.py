"""scikit-learn's own checks of estimators, on a search that is small and ends after a number of trials."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from mpi_automl.estimators import AutoMLClassifier, AutoMLRegressor

pytestmark = pytest.mark.launches

SMALL = {"time": 60, "trial_time": 20, "trials": 2, "ensemble_size": 3}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [
        AutoMLClassifier(include=("classifier:decision_tree", "feature_preprocessor:no_preprocessing"), **SMALL),
        AutoMLRegressor(include=("regressor:decision_tree", "feature_preprocessor:no_preprocessing"), **SMALL),
    ]
)
def test_the_estimators_keep_scikit_learns_conventions(estimator, check):
    check(estimator)
