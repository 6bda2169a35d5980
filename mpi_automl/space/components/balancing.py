"""Whether classes are weighted."""

from __future__ import annotations

from mpi_automl.space.component import BINARY_OR_MULTICLASS, CLASSIFICATION, NoOperation, Properties
from mpi_automl.space.registry import register


@register
class NoBalancing(NoOperation):
    """No balancing."""

    step = "balancing"
    name = "none"
    properties = Properties(tasks=CLASSIFICATION, sparse=True, missing=True, preference=1)


@register
class Weighting(NoOperation):
    """Sample weights inverse to the frequency of the class; see `Candidate.sample_weight`."""

    step = "balancing"
    name = "weighting"
    properties = Properties(tasks=BINARY_OR_MULTICLASS, sparse=True, missing=True, sample_weight=True, preference=2)
