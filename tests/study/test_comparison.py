"""Ranks and tests against what the literature's libraries say, and a report that holds what it should."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from mpi_automl.errors import UserError
from mpi_automl.study.anytime import mean_curves, table_curves
from mpi_automl.study.comparison import compare, friedman, holm, nemenyi, pairs
from mpi_automl.study.definition import Slurm
from mpi_automl.study.directory import StudyDirectory
from mpi_automl.study.latex import ReportTable, escape, latex
from mpi_automl.study.plan import StudyPlan
from mpi_automl.study.report import write_report

VARIANTS = ("good", "fair", "poor", "other system")


@pytest.fixture
def collected():
    """Four variants on six tables, two of which are regression, with two seeds."""
    rng = np.random.default_rng(0)
    rows = []
    for table in ("t1", "t_2", "t3", "t4", "r1", "r2"):
        for variant, shift in zip(VARIANTS, (0.06, 0.03, 0.0, -0.1), strict=True):
            for seed in (1, 2):
                score = 0.8 + shift + rng.normal(0, 0.005)
                is_external = variant == "other system"
                seconds = [] if is_external else [1.0, 2.0, 4.0]
                curve = [] if is_external else [score - 0.2, score - 0.1, score]
                kind = "regression" if table.startswith("r") else "binary"
                name = "r2" if kind == "regression" else "roc_auc"
                rows.append(
                    {
                        "table": table, "fold": 0, "seed": seed, "variant": variant, "by": "x", "state": "finished",
                        "task_type": kind, "metric": name, "score": score, "cost": 1 - score,
                        f"score_{name}": score, "score_log_loss": 2 - score if kind == "binary" else np.nan,
                        "optimised": None if is_external else name, "time": 10.0, "run_seconds": 9.0, "cores": 2,
                        "curve_seconds": seconds, "curve_validation": curve, "curve_test": curve,
                        "version_mpi_automl": "1", "trials": 7.0, "utilisation": 0.9, "members": 3.0,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def test_ranks_and_means(collected):
    found = compare(collected)
    assert found.variants == list(VARIANTS) and len(found.tables) == 6
    assert (found.ranks.to_numpy() == [1, 2, 3, 4]).all()
    assert found.mean_ranks.tolist() == [1, 2, 3, 4]
    expected = collected[(collected["table"] == "t1") & (collected["variant"] == "fair")]["score"].mean()
    assert found.scores.loc["t1", "fair"] == pytest.approx(expected)
    assert (found.counts == 2).all()


def test_only_what_all_variants_have_finished_counts(collected):
    collected.loc[(collected["table"] == "t1") & (collected["variant"] == "poor"), "state"] = "failed"
    gone = (collected["table"] == "t_2") & (collected["variant"] == "poor") & (collected["seed"] == 2)
    collected.loc[gone, "state"] = "waiting"
    found = compare(collected)
    assert found.left_out == ("t1",)
    assert found.counts["t_2"] == 1
    with pytest.raises(UserError, match="No table has been finished by every variant"):
        compare(collected.assign(state="waiting"))


def test_another_metric_and_its_direction(collected):
    found = compare(collected, "log_loss")
    assert found.tables == ["t1", "t_2", "t3", "t4"] and set(found.metrics) == {"log_loss"}
    assert (found.ranks.to_numpy() == [1, 2, 3, 4]).all()
    assert found.comparable().mean(axis=1).to_numpy() == pytest.approx(1.0)
    with pytest.raises(UserError, match="The study has no metric brier_score; it has log_loss, r2, roc_auc"):
        compare(collected, "brier_score")


def test_the_tests_are_those_of_the_field(collected):
    found = compare(collected)
    assert friedman(found) == pytest.approx(0.00044, abs=1e-5)
    critical = nemenyi(found)
    assert critical.loc["good", "other system"] < 0.05 < critical.loc["good", "fair"]
    first = pairs(found, rope=0.01, samples=2000)[0]
    assert (first.first, first.second, first.wins, first.ties, first.losses) == ("good", "fair", 6, 0, 0)
    costs = found.costs
    assert first.wilcoxon == pytest.approx(wilcoxon(costs["fair"] - costs["good"]).pvalue)
    assert first.holm == pytest.approx(6 * first.wilcoxon)
    assert first.better > 0.9 and first.better + first.equal + first.worse == pytest.approx(1.0)
    wide = pairs(found, rope=0.2, samples=2000)[0]
    assert wide.equal > 0.9
    assert np.isnan(friedman(compare(collected[collected["variant"].isin(VARIANTS[:2])])))


def test_equal_variants_are_a_tie(collected):
    good = collected[collected["variant"] == "good"]
    found = compare(pd.concat([good, good.assign(variant="same")]))
    (pair,) = pairs(found, samples=500)
    assert (pair.wins, pair.ties, pair.losses, pair.wilcoxon) == (0, 6, 0, 1.0)
    assert (found.ranks == 1.5).all(axis=None)


def test_holm():
    assert holm([0.01, 0.04, 0.03, float("nan")])[:3] == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])


def test_curves_are_steps(collected):
    found = compare(collected)
    curve = table_curves(found, "t1", moments=11)["good"]
    scores = collected[(collected["table"] == "t1") & (collected["variant"] == "good")]["score"]
    assert np.isnan(curve.mean[0])
    assert curve.mean[1:5] == pytest.approx([scores.mean() - shift for shift in (0.2, 0.1, 0.1, 0.0)])
    assert curve.low[-1] == pytest.approx(scores.min()) and curve.high[-1] == pytest.approx(scores.max())
    left = mean_curves(found, moments=11)
    assert set(left) == {"good", "fair", "poor"}
    assert left["good"].mean[-1] < left["fair"].mean[-1] < left["poor"].mean[-1]
    assert left["good"].low[-1] <= left["good"].mean[-1] <= left["good"].high[-1]


@pytest.mark.slow
def test_the_report_has_its_tables_and_figures(collected, tmp_path):
    directory = StudyDirectory(tmp_path)
    plan = StudyPlan("sharing & <more>", (), {}, Slurm())
    plan = type("Plan", (), {"name": plan.name, "ranks": 2})()
    collected.loc[(collected["table"] == "t1") & (collected["variant"] == "poor"), "state"] = "failed"
    page = write_report(directory, plan, collected, metric=None, rope=0.01)
    text = page.read_text()
    assert "sharing &amp; &lt;more&gt;" in text and "Left out" in text and text.count("<svg") == 5
    assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text
    for name in ("critical_difference", "scores", "pairs", "anytime", "anytime_by_table"):
        assert (page.parent / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    written = (page.parent / "scores.tex").read_text()
    assert r"t\_2 & roc\_auc & 2 & \textbf{0.8" in written and written.count(r"\\") == 6
    assert "good -- fair & 5 / 0 / 0" in (page.parent / "pairs.tex").read_text()


def test_latex_says_what_the_table_says():
    table = ReportTable("n", "T", "N.", ("a_b", "c"), (("50 %", "1"),), frozenset({(0, 1)}))
    assert r"a\_b & c \\" in latex(table) and r"50 \% & \textbf{1} \\" in latex(table)
    assert escape("\\{}") == r"\textbackslash{}\{\}"
