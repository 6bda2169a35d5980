"""Names for what a run is made of: equal inputs have equal ones on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest_of_mapping(values: Mapping[str, Any]) -> str:
    """Hash of what JSON can hold, 16 hexadecimal digits; the order of keys does not matter."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
