"""When and by what command a report was made, for its foot."""

from __future__ import annotations

import datetime
import shlex
import sys

from tierline import __version__


def made() -> str:
    """One sentence with the command as it was given."""
    words = " ".join(shlex.quote(word) for word in sys.argv[1:])
    return f"Made by `tierline {words}`, Tierline {__version__}, on {datetime.date.today():%d %B %Y}."
