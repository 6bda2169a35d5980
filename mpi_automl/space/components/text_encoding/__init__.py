"""How texts become numbers."""
