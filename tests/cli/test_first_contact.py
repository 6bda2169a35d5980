"""What a person meets who does not know the command yet, or mistypes it."""

import runpy
import shutil
import subprocess
import sys

import pytest

from mpi_automl.cli.main import VERBS, entry


@pytest.fixture
def said(capsys):
    """Run the command; gives its exit status, standard output and standard error."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            entry(words)
        return ended.value.code, *capsys.readouterr()

    return run


def test_without_a_verb_there_are_three_commands_to_try(said):
    code, out, err = said()
    assert (code, err) == (0, "")
    assert out.count("mpi-automl fit") == out.count("mpi-automl example") == out.count("mpi-automl show") == 1
    assert len(out.splitlines()) < 15


def test_the_module_without_a_verb_is_the_example(monkeypatch):
    seen = []
    monkeypatch.setattr("mpi_automl.cli.main._dispatch", lambda arguments: seen.append(arguments) or 0)
    monkeypatch.setattr(sys, "argv", ["mpi_automl"])
    with pytest.raises(SystemExit):
        runpy.run_module("mpi_automl", run_name="__main__")
    assert seen == [["example"]]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(said, verb):
    code, out, _ = said(verb, "--help")
    assert code == 0
    text = " ".join(out.split())
    example = text[text.index("Example: ") :]
    assert f"mpi-automl {verb}" in example


@pytest.mark.parametrize("step", ["plan", "run", "resume", "submit", "status", "collect", "report"])
def test_every_step_of_a_study_has_help_with_an_example(said, step):
    code, out, _ = said("study", step, "--help")
    assert code == 0
    assert f"mpi-automl study {step} " in " ".join(out.split()).partition("Example: ")[2]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("fti",), "There is no verb fti; did you mean fit?"),
        (("leaderbord", "run"), "did you mean leaderboard?"),
        (("qqq",), "There is no verb qqq; mpi-automl --help"),
        (("fit", "t.csv", "--tiem", "3"), "fit has no option --tiem; did you mean --time?"),
        (("show", "run", "--jsno"), "show has no option --jsno; did you mean --json?"),
        (("show", "run", "--qqq"), "show has no option --qqq; mpi-automl show --help"),
        (("show", "one", "two"), "show does not take two"),
        (("--tiem=5",), "example has no option --tiem; did you mean --time?"),
        (("fit", "t.csv", "--target", "y", "--share", "histroy"), "did you mean history?"),
        (("study", "rnu"), "did you mean run?"),
        (("study", "run", "s.toml", "--uot", "d"), "study has no option --uot; did you mean --out?"),
        (("completion", "bahs"), "did you mean bash?"),
        (("predict",), "required: RUN, TABLE"),
    ],
)
def test_a_mistake_is_answered_with_the_nearest_right_thing(said, words, answer):
    code, out, err = said(*words)
    assert (code, out) == (2, "")
    assert answer in err
    assert len(err.splitlines()) == 1


def test_a_file_or_a_directory_in_the_place_of_a_verb(said, tmp_path):
    (tmp_path / "prices.csv").touch()
    assert f"mpi-automl show {tmp_path}" in said(str(tmp_path))[2]
    assert "--target COLUMN" in said(str(tmp_path / "prices.csv"))[2]


def test_bash_completes_verbs_options_and_values(said, tmp_path):
    pytest.importorskip("shtab")
    code, script, _ = said("completion", "bash")
    assert code == 0
    (tmp_path / "script").write_text(script)

    def completed(*words):
        quoted = " ".join(f"'{word}'" for word in words)
        program = (
            f"source {tmp_path}/script; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
            'function=$(complete -p mpi-automl | sed "s/.*-F \\([^ ]*\\).*/\\1/"); $function; echo "${COMPREPLY[@]}"'
        )
        return subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert completed("mpi-automl", "re") == ["report", "refit"]
    assert "--metric" in completed("mpi-automl", "fit", "--me")
    assert completed("mpi-automl", "fit", "--share", "") == ["none", "incumbents", "history"]


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_have_a_script(said, shell):
    pytest.importorskip("shtab")
    code, script, _ = said("completion", shell)
    assert code == 0
    assert all(verb in script for verb in VERBS)
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
