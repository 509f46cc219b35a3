"""Durations and sizes as people write them: `1500ms`, `2s`, `10m`, `1h`, `30d`; `512KB`, `10MB`."""

from __future__ import annotations

import math
import re

_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*$")
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|)\s*$", re.IGNORECASE)
_BYTES = {"B": 1, "": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


class Duration(float):
    """A span of time in seconds, written `1500ms`, `2s`, `10m`, `1h`, `30d` or as a plain number of seconds."""

    @classmethod
    def parse(cls, value: object) -> Duration:
        """Seconds from text or a number; raises ValueError with the accepted forms when it is neither."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if value >= 0 and math.isfinite(value):
                return cls(value)
        elif isinstance(value, str) and (match := _DURATION.match(value)):
            return cls(float(match[1]) * _SECONDS[match[2]])
        raise ValueError(f"{_said(value)} is no duration: write 1500ms, 2s, 10m, 1h, 30d or seconds as a number")

    def written(self) -> str:
        """As people write it, in the largest unit that takes a whole number: `7d`, `90s`, `50ms`."""
        for unit in ("d", "h", "m", "s", "ms"):
            count = self / _SECONDS[unit]
            if count >= 1 and count == int(count):
                return f"{int(count)}{unit}"
        return f"{float(self):g}s"


class Size(int):
    """A number of bytes, written `512KB`, `10MB` (powers of 1024) or as a plain number."""

    @classmethod
    def parse(cls, value: object) -> Size:
        """Bytes from text or a number; raises ValueError with the accepted forms when it is neither."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return cls(value)
        if isinstance(value, str) and (match := _SIZE.match(value)):
            return cls(float(match[1]) * _BYTES[match[2].upper()])
        raise ValueError(f"{_said(value)} is no size: write 512KB, 10MB or bytes as a number")

    def written(self) -> str:
        """As people write it, in the largest unit that takes a whole number: `10MB`, `512KB`."""
        for unit in ("GB", "MB", "KB"):
            if self and self % _BYTES[unit] == 0:
                return f"{self // _BYTES[unit]}{unit}"
        return f"{int(self)}B"


def _said(value: object) -> str:
    return repr(value) if not isinstance(value, str) or len(value) <= 24 else "the text"
