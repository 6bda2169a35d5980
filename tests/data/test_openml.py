"""OpenML without a network: the answers that scikit-learn recorded for its own tests serve as the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import sklearn

from mpi_automl.data.load import load_task
from mpi_automl.data.openml import fetch, fetch_suite, read_openml, suite_sources
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings

RECORDED = Path(sklearn.__file__).parent / "datasets" / "tests" / "data" / "openml"
FILES = {
    "id_61/api-v1-jd-61.json.gz": "api/v1/json/data/61.gz",
    "id_61/api-v1-jdf-61.json.gz": "api/v1/json/data/features/61.gz",
    "id_61/api-v1-jdl-dn-iris-l-2-s-act-.json.gz": "api/v1/json/data/list/data_name/iris/limit/2/status/active/.gz",
    "id_61/api-v1-jdl-dn-iris-l-2-dv-1.json.gz": "api/v1/json/data/list/data_name/iris/limit/2/data_version/1.gz",
    "id_61/api-v1-jdq-61.json.gz": "api/v1/json/data/qualities/61.gz",
    "id_61/data-v1-dl-61.arff.gz": "data/v1/download/61/iris.arff.gz",
    # The path of the data differs between releases of scikit-learn.
    "./id_61/data-v1-dl-61.arff.gz": "data/v1/download/61.gz",
    "id_292/api-v1-jd-292.json.gz": "api/v1/json/data/292.gz",
}

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="scikit-learn was installed without its tests")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for recorded, name in FILES.items():
        path = tmp_path / "openml" / "openml.org" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RECORDED / recorded, path)
    # Whatever is not in the cache meets a refused connection at once, on any machine.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("source", ["openml:61", "openml:iris", "openml:iris@1"])
def test_a_cached_data_set_is_read_without_a_network(cache: Path, source: str) -> None:
    task = load_task(Settings(table=source))
    assert task.X.shape == (150, 4) and task.profile.n_outputs == 3
    assert task.schema.target_names == ("class",) and "Iris-setosa" in list(task.schema.classes)
    assert task.name == source


def test_another_target_can_be_asked_for(cache: Path) -> None:
    task = load_task(Settings(table="openml:61", target="petalwidth"))
    assert task.type.value == "regression" and "class" in task.schema.column_names


def test_fetch_says_what_is_there(cache: Path) -> None:
    assert fetch("openml:61", cache) == "openml:61: iris, 150 rows, 4 columns, is in the cache"


def test_what_is_not_in_the_cache_names_the_remedy(cache: Path) -> None:
    with pytest.raises(UserError, match="on a node with a network, run python -m mpi_automl fetch openml:31"):
        read_openml("openml:31")
    with pytest.raises(UserError, match="openml:292"):
        read_openml("openml:292")


@pytest.mark.parametrize("source", ["openml:", "openml:iris@first"])
def test_unreadable_names(source: str) -> None:
    with pytest.raises(UserError, match="such as openml:"):
        read_openml(source)


def test_values_are_those_of_the_file(cache: Path) -> None:
    table = read_openml("openml:61")
    np.testing.assert_array_equal(table.iloc[0, :4].to_numpy(float), [5.1, 3.5, 1.4, 0.2])


def test_the_data_sets_of_a_suite_come_from_the_cache(cache: Path) -> None:
    answer = cache / "openml" / "openml.org" / "api" / "v1" / "json" / "study" / "99.json"
    answer.parent.mkdir(parents=True)
    answer.write_text('{"study": {"id": "99", "data": {"data_id": ["61", 31]}, "tasks": {"task_id": ["1", "2"]}}}')
    assert suite_sources("99") == ["openml:61", "openml:31"]
    assert fetch_suite("openml:suite/99") == ["openml:61", "openml:31"]
    with pytest.raises(UserError, match="run python -m mpi_automl fetch openml:suite/271"):
        suite_sources("271")
    answer.write_text('{"error": {}}')
    with pytest.raises(UserError, match="the suite 99 cannot be read"):
        suite_sources("99")
