"""How categories become numbers."""
