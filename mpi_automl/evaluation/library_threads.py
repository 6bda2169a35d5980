"""The number of threads of an evaluation, for everything that starts threads of its own.

The number is decided in `mpi_automl.machine.cores_and_threads.threads_of`.
"""

from __future__ import annotations

import os

_VARIABLES = (
    "BLIS_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip


def thread_variables(threads: int) -> dict[str, str]:
    """Environment variables for libraries that are still to be loaded."""
    return dict.fromkeys(_VARIABLES, str(threads))


def limit_threads(threads: int) -> None:
    """Limit this process and the children it forks: BLAS, OpenMP and joblib, loaded already or later."""
    from threadpoolctl import threadpool_limits

    os.environ.update(thread_variables(threads))
    threadpool_limits(limits=threads)
