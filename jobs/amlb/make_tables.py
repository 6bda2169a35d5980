"""Write the two tables of benchmarks/local.yaml to data/, each as a training and a test file."""

from __future__ import annotations

from pathlib import Path

from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import train_test_split

DATA = Path(__file__).resolve().parent / "data"


def main() -> None:
    """Write the files."""
    DATA.mkdir(exist_ok=True)
    for name, load, target in (("wine", load_wine, "cultivar"), ("diabetes", load_diabetes, "progression")):
        bunch = load(as_frame=True)
        labels = bunch.target if name == "diabetes" else bunch.target_names[bunch.target]
        table = bunch.data.rename(columns=lambda column: column.replace("/", "_")).assign(**{target: labels})
        stratify = None if name == "diabetes" else table[target]
        train, test = train_test_split(table, test_size=0.3, random_state=1, stratify=stratify)
        for part, rows in (("train", train), ("test", test)):
            path = DATA / f"{name}_{part}.csv"
            rows.to_csv(path, index=False)
            print(f"{path}: {len(rows)} rows")


if __name__ == "__main__":
    main()
