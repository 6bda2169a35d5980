"""A regressor of one's own, as a component: ``--plugins own_components`` adds it to the search."""

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import Component, Properties
from mpi_automl.space.hyperparameters import Float, Integer
from mpi_automl.space.registry import register


@register
class TheilSen(Component):
    """Medians of slopes, which do not mind outliers."""

    step = "regressor"
    name = "theil_sen"
    properties = Properties(tasks=frozenset({TaskType.REGRESSION}), max_columns=50)
    hyperparameters = (
        Integer("max_subpopulation", 100, 10_000, 1000, log=True),
        Float("tol", 1e-5, 1e-1, 1e-3, log=True),
    )

    def build(self, values, context):
        """Make the unfitted learner; heavy packages are imported here, not above."""
        from sklearn.linear_model import TheilSenRegressor

        return TheilSenRegressor(**values, random_state=context.seed)
