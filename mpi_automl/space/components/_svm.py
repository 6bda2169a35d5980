"""What support vector machines, other linear models and kernels have in common."""

from __future__ import annotations

from mpi_automl.data.task import Profile
from mpi_automl.space.hyperparameters import Float, Hyperparameter, Integer, flag

MAX_ROWS = 50_000
"""Rows beyond which a support vector machine with a kernel does not finish in reasonable time."""
MAX_MATRIX = 1.0
"""GiB of a matrix with an entry for each pair of rows."""
KERNEL_CACHE = 500
"""MiB, instead of scikit-learn's 200."""
ITERATIONS = 1_000_000
"""Some kernels never converge on unscaled data; a solution this far on is used as it is."""
LINEAR_TOLERANCE = Float("tol", 1e-5, 0.1, 1e-4, log=True)
SVM_C = Float("C", 0.03125, 32768.0, 1.0, log=True)
EPSILON = Float("epsilon", 0.001, 1.0, 0.1, log=True)
SHRINKING = flag("shrinking", True)
KERNEL_TOLERANCE = Float("tol", 1e-5, 0.1, 1e-3, log=True)


def kernel_hyperparameters(gamma: float, with_gamma: tuple[str, ...]) -> tuple[Hyperparameter, ...]:
    """What the kernels "poly", "rbf", "sigmoid" and "chi2" have of their own.

    Parameters
    ----------
    gamma : float
        Its default.
    with_gamma : tuple of str
        Those of the component's kernels that have it.
    """
    return (
        Float("coef0", -1.0, 1.0, 0.0, when={"kernel": ("poly", "sigmoid")}),
        Integer("degree", 2, 5, 3, when={"kernel": ("poly",)}),
        Float("gamma", 3.05175781e-05, 8.0, gamma, log=True, when={"kernel": with_gamma}),
    )


def too_many_pairs(profile: Profile, values_per_pair: int) -> str:
    """Why a matrix with an entry for each pair of rows does not fit; empty if it does."""
    gibibytes = 8 * values_per_pair * profile.n_rows**2 / 2**30
    return f"would need {gibibytes:.0f} GiB for {profile.n_rows:,} rows" if gibibytes > MAX_MATRIX else ""
