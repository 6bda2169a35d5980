"""Pages, plots and tables that show what a run found; nothing is fitted here."""
