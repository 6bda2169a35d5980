"""The estimators are there under the package's own name, and importing the package stays light."""

import subprocess
import sys

import mpi_automl
from mpi_automl.estimators import AutoMLClassifier, AutoMLRegressor


def test_estimators_under_the_packages_name():
    assert mpi_automl.AutoMLClassifier is AutoMLClassifier
    assert mpi_automl.AutoMLRegressor is AutoMLRegressor


def test_importing_the_package_imports_no_learners():
    program = (
        "import sys, mpi_automl\n"
        "heavy = {'sklearn', 'smac', 'numpy', 'pandas', 'mpi4py', 'h5py', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert not hasattr(mpi_automl, 'AutoMLClasifier')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
