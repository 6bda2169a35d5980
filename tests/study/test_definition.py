"""The study's file: what it says, and what is said about mistakes in it."""

import pytest
from documentation import blocks
from launching import CHECKOUT
from small_study import STUDY

from mpi_automl.errors import UserError
from mpi_automl.study.definition import read_study


def read(place, text):
    (place / "study.toml").write_text(text)
    return read_study(place / "study.toml")


def test_a_study_is_read(tmp_path):
    study = read(tmp_path, STUDY)
    assert (study.name, study.ranks, study.seeds) == ("study", 2, (1, 2))
    assert study.directory == tmp_path / "study"
    assert [variant.name for variant in study.variants] == ["all", "nothing"]
    settings = study.variants[1].settings()
    assert (settings.share, settings.trials, settings.time) == ("none", 2, 12.0)
    assert study.split.method == "holdout"


def test_seeds_split_metrics_and_slurm(tmp_path):
    text = STUDY.replace("seeds = 2", 'seeds = [3, 5]\nmetrics = {binary = ["roc_auc", "log_loss"], regression = "r2"}')
    text += '\n[split]\nmethod = "cv"\nfolds = 3\nseed = "run"\n[slurm]\noptions = ["--partition=large"]\ntasks = 4\n'
    study = read(tmp_path, text)
    assert study.seeds == (3, 5)
    assert study.metrics["binary"] == ("roc_auc", "log_loss") and study.metrics["regression"] == ("r2",)
    assert study.metrics["multiclass"] == ()
    assert (study.split.method, study.split.folds, study.split.seed) == ("cv", 3, None)
    assert (study.slurm.options, study.slurm.tasks) == (("--partition=large",), 4)


def test_another_system_keeps_only_what_concerns_it(tmp_path):
    study = read(tmp_path, STUDY + '[variants.forest]\nsystem = "random_forest"\noptions = {max_depth = 3}\n')
    forest = study.variants[2]
    assert forest.system.is_baseline and forest.system.options == {"max_depth": 3}
    assert forest.options == {"time": "12s"}


def test_the_path_of_an_adapter_is_relative_to_the_file(tmp_path):
    (tmp_path / "adapter.sh").write_text("#!/bin/sh\n")
    study = read(tmp_path, STUDY + '[variants.mine]\nsystem = "./adapter.sh --fast"\n')
    assert study.variants[2].system.command == (str(tmp_path / "adapter.sh"), "--fast")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("seeds = 2", "sedes = 2", r"\[study\] has no key sedes; did you mean seeds\?"),
        ("[settings]", "[setings]", r"the file has no key setings; did you mean settings\?"),
        ('share = "none"', 'shares = "none"', r"\[variants.nothing\] has no key shares; did you mean share\?"),
        ('share = "none"', 'share = "nonne"', r"--share is 'nonne'.*did you mean none\?"),
        ("trials = 2", "trials = 2\nseed = 3", r"\[settings\] has seed, which a study decides itself: seeds are given"),
        ("trials = 2", 'trials = 2\ntarget = "y"', r"target, which belongs to a table; put it under \[\[tables\]\]"),
        ('target = "y"', 'taget = "y"', r"\[\[tables\]\] has no key taget; did you mean target\?"),
        ('files = "tables/*.csv"', "", r"needs one of files, openml and suite"),
        ("seeds = 2", "seeds = [1, 1]", r"seeds = \[1, 1\]; it must be a list of different whole numbers"),
        ("seeds = 2", "seeds = 0", r"seeds = 0; it must be a whole number of at least 1"),
        ("ranks = 2", 'ranks = "many"', r"ranks = 'many'; it must be"),
        ('time = "12s"', 'time = "auto"', r"a study needs a time, such as 15m"),
        ('share = "none"', 'share = "history"', r"the variants all and nothing are the same; leave one out"),
        ('share = "none"', 'system = "random_forst"', r"did you mean random_forest\?"),
        ('share = "none"', 'system = "./nothing.sh"', r"which is not a file"),
        ("[settings]", '[split]\nmethod = "holdut"\n[settings]', r"did you mean holdout\?"),
        ("[settings]", "[split]\nfolds = 1\n[settings]", r"folds = 1; it must be at least 2"),
        ("[settings]", '[split]\nmethod = "files"\n[settings]', r'needs files = "splits/\{table\}.csv"'),
        ("[settings]", "[split]\nshare = 1.5\n[settings]", r"share = 1.5; it must be between"),
        ("[[tables]]", "[tables.a]", r"\[\[tables\]\] has no key a"),
        ("[study]", "[study", r"is not TOML"),
    ],
)
def test_mistakes_are_told_with_what_would_be_right(tmp_path, before, after, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, STUDY.replace(before, after, 1))


def test_a_study_without_variants_or_tables_says_so(tmp_path):
    with pytest.raises(UserError, match="has no variants"):
        read(tmp_path, STUDY[: STUDY.index("[variants")])
    with pytest.raises(UserError, match=r"has no \[\[tables\]\]"):
        read(tmp_path, STUDY[: STUDY.index("[[tables]]")] + STUDY[STUDY.index("[variants") :])
    with pytest.raises(UserError, match="cannot be read"):
        read_study(tmp_path / "nothing.toml")


def test_the_example_of_the_guide_is_a_study(tmp_path):
    study = read_study(CHECKOUT / "docs" / "examples" / "study.toml", tmp_path)
    assert (study.ranks, len(study.seeds), len(study.tables)) == (2, 5, 2)
    assert [variant.name for variant in study.variants] == ["history", "none", "forest"]
    page = CHECKOUT / "docs" / "guides" / "studies.md"
    (more,) = ["\n".join(block.lines) for block in blocks(page) if block.language == "toml"]
    (tmp_path / "adapter.sh").touch()
    read(tmp_path, STUDY + more)
