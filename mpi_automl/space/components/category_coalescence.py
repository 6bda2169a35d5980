"""Whether rare categories are merged."""

from __future__ import annotations

from mpi_automl.space.component import NoOperation, Properties
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register


@register
class MinorityCoalescer(NoOperation):
    """Merging of categories that are rarer than a share of the training rows.

    The encoders of scikit-learn do it themselves, so the share is handed to the encoding through
    `Context.fraction`. The encoding lowers it where a column has many categories, as most of its rows would be merged.
    """

    step = "category_coalescence"
    name = "minority_coalescer"
    properties = Properties(sparse=True, missing=True, preference=1)
    hyperparameters = (Float("minimum_fraction", 0.0001, 0.5, 0.01, log=True),)


@register
class NoCoalescence(NoOperation):
    """Categories are not merged."""

    step = "category_coalescence"
    name = "no_coalescence"
    properties = Properties(sparse=True, missing=True, preference=2)
