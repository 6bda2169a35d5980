"""``python jobs/benchmarks/repository COMMAND``, see `repository.commands`."""

import sys
from pathlib import Path

# Python puts this directory first; the package's own modules are found from the one above.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from repository.commands import main  # noqa: E402  # after the line above

if __name__ == "__main__":
    main()
