"""Types that a saved model of this space may hold, besides those that skops trusts by itself."""

from __future__ import annotations

_OWN = "mpi_automl.space.estimators."

OWN_TYPES = tuple(
    _OWN + name
    for name in (
        "capped.CappedFastICA",
        "capped.CappedFeatureAgglomeration",
        "capped.CappedKNeighborsClassifier",
        "capped.CappedKNeighborsRegressor",
        "capped.CappedKernelPCA",
        "capped.CappedQuantileTransformer",
        "capped.CappedTruncatedSVD",
        "clipped.ClippedMultinomialNB",
        "cloned.RecodedClassifier",
        "cloned.RefittedRegressor",
        "densifier.Densifier",
        "feature_selection.SelectAtLeastOne",
        "feature_selection.SelectByRate",
        "feature_selection.SelectShare",
        "feature_selection.VariedColumns",
        "feature_selection.chi2_of_amounts",
        "gaussian_process.AnisotropicGaussianProcess",
        "passive_aggressive_class.ProbabilisticPassiveAggressive",
        "pls.PLSScores",
        "softmax.ProbabilisticLinearSVC",
        "softmax.ProbabilisticSGDClassifier",
        "softmax.ProbabilisticSVC",
        "staged.StagedMLPClassifier",
        "standardized.StandardizedElasticNet",
        "standardized.StandardizedLinearSVR",
        "standardized.StandardizedMLPRegressor",
        "standardized.StandardizedSGDRegressor",
        "standardized.StandardizedSVR",
        "text.ColumnsOfText",
        "unweighted_bins.UnweightedBinsClassifier",
    )
)
"""Estimators and functions of this package."""

BOOSTERS = (
    "catboost.core.CatBoostClassifier",
    "catboost.core.CatBoostRegressor",
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
)
"""Learners of packages that may be installed."""

INSIDE_LEARNERS = (
    # Histogram boosting on categories; skops looks at the function and the arguments of a partial one by themselves.
    "functools.partial",
    "numpy.dtype",
    "numpy.max",
    "numpy.mean",
    "numpy.median",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "scipy.sparse._csr.csr_matrix",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogLink",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.AbsoluteError",
    "sklearn._loss.loss.ExponentialLoss",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfGammaLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfPoissonLoss",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn._loss.loss.HuberLoss",
    "sklearn._loss.loss.PinballLoss",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_regression",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Matern",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.gaussian_process.kernels.RationalQuadratic",
    "sklearn.gaussian_process.kernels.Sum",
    "sklearn.gaussian_process.kernels.WhiteKernel",
    "sklearn.metrics._dist_metrics.ChebyshevDistance64",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)
"""What scikit-learn's own learners hold inside, in all its versions that are supported."""

TRUSTED = (*OWN_TYPES, *BOOSTERS, *INSIDE_LEARNERS)
