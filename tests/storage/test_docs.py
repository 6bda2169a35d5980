"""The page on the store describes the schema as it is."""

from __future__ import annotations

import re
from pathlib import Path

from write_trials import make_layout, make_metadata

from mpi_automl.parallel.world import World
from mpi_automl.storage import schema
from mpi_automl.storage.hdf5 import h5py
from mpi_automl.storage.store import create_store
from mpi_automl.trial import Origin, Status

PAGE = (Path(__file__).parents[2] / "docs" / "how_it_works" / "store.md").read_text()


def first_cells() -> set[str]:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, flags=re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_dataset_field_and_attribute_is_described(tmp_path: Path) -> None:
    create_store(tmp_path, 0, make_layout(1, 10, 5), make_metadata(), World(None, 0.0)).close()
    with h5py.File(schema.main_file(tmp_path, 0), "r") as file:
        assert set(file) | set(file["records"].dtype.names) == first_cells()
        sentence = PAGE.split("Attributes of the root group:")[1].split("\n\n")[0]
        assert set(file.attrs) == set(re.findall(r"`(\w+)`", sentence))


def test_every_number_is_explained() -> None:
    for name, numbers in (("origin", Origin), ("status", Status)):
        (row,) = re.findall(rf"^\| `{name}` \|.*$", PAGE, flags=re.MULTILINE)
        assert [int(number) for number in re.findall(r"[|,] (\d) ", row)] == [int(value) for value in numbers]
