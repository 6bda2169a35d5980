"""A notebook or plain script on one machine: the estimator starts two ranks by itself.

``python one_machine.py [TIME]``; scikit-learn's diabetes data, a quarter held out.
"""

import sys

from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from mpi_automl import AutoMLRegressor

if __name__ == "__main__":
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)

    automl = AutoMLRegressor(time=sys.argv[1] if len(sys.argv) > 1 else "1m", n_jobs=2)
    automl.fit(X_train, y_train, X_test, y_test, dataset_name="diabetes")

    print(automl.sprint_statistics())
    print(automl.leaderboard()[["rank", "ensemble_weight", "type", "value", "duration", "status"]].head(10))
    print(f"R2 on the held-out quarter: {automl.score(X_test, y_test):.3f}")
