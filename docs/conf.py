"""Sphinx configuration: ``sphinx-build -W docs docs/_build/html``."""

import mpi_automl

project = "mpi_automl"
author = "mpi_automl developers"
copyright = f"2026, {author}"
version = release = mpi_automl.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinxarg.ext"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# The pages are built where there may be no MPI.
autodoc_mock_imports = ["mpi4py", "h5py"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"mpi_automl {release}"
