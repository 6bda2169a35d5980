"""What is written in any format is read back as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mpi_automl.data.read import read_table
from mpi_automl.data.write import check_format, formats, write_table
from mpi_automl.errors import UserError
from mpi_automl.storage.table import READERS, WRITERS

LABELS = pd.DataFrame({"the target": ["it's", "größer, weiter", "it's", "a\\b"]})
SHARES = pd.DataFrame({"no": [0.25, 1 / 3, 1e-9], "yes": [0.75, 2 / 3, 1 - 1e-9]})


@pytest.mark.parametrize("table", [LABELS, SHARES], ids=["labels", "shares"])
@pytest.mark.parametrize("ending", formats())
def test_a_table_comes_back(tmp_path: Path, ending: str, table: pd.DataFrame) -> None:
    out = str(tmp_path / f"table{ending}")
    write_table(table, out, writers=WRITERS)
    found = read_table(out, readers=READERS)
    assert list(found.columns) == list(table.columns)
    if table is LABELS:
        assert found["the target"].astype(str).tolist() == table["the target"].tolist()
    else:
        np.testing.assert_allclose(found.to_numpy(float), table.to_numpy(), rtol=1e-12)


def test_an_unknown_ending_and_an_unknown_place_are_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="its ending must be one of .csv"):
        check_format("table.docx")
    with pytest.raises(UserError, match="cannot be written: No such file"):
        write_table(SHARES, str(tmp_path / "nowhere" / "table.csv"), writers=WRITERS)
