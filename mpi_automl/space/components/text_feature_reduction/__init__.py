"""How the width of encoded texts is reduced."""
