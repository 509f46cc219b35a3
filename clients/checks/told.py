"""What every check shares: where the gateway is, what is asked, and how one line of JSON tells what came of each feature."""

import json
import os
import sys
from collections.abc import Callable

GATEWAY = os.environ["TIERLINE_GATEWAY"]
MODEL = os.environ["TIERLINE_MODEL"]
KEY = "none-needed"
HELLO = "Say hello to me in a sentence of ten words or more."
WEATHER = "What is the weather in Paris? Use the tool."
PLACE = "What is the capital of France? Answer with its name and its population."
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
PLACE_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["name", "population"],
    "additionalProperties": False,
}


def streamed(pieces: list[str], whole: str) -> None:
    """A stream of several pieces that join to the whole answer."""
    assert len(pieces) > 1, f"a stream of {len(pieces)} pieces of text"
    assert "".join(pieces) == whole, f"the pieces {''.join(pieces)!r} are not the whole {whole!r}"
    assert whole.strip(), "an empty text"


def called(name: str, arguments: object) -> None:
    """A call of the tool that was offered, with its argument."""
    assert name == "get_weather", f"the tool {name!r} was called"
    assert isinstance(arguments, dict) and isinstance(arguments.get("city"), str) and arguments["city"], f"arguments {arguments!r}"


def placed(found: object) -> None:
    """A structure with a name and a whole number of people."""
    name, population = (found.get("name"), found.get("population")) if isinstance(found, dict) else (found.name, found.population)  # type: ignore[attr-defined]
    assert isinstance(name, str) and name, f"the name {name!r}"
    assert isinstance(population, int), f"the population {population!r}"


def tell(**checks: Callable[[], None]) -> None:
    """Run the wanted checks and print what came of each: ok, or the first lines of what went wrong."""
    wanted = os.environ["TIERLINE_FEATURES"].split(",")
    results = {}
    for feature in wanted:
        try:
            checks[feature]()
            results[feature] = "ok"
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            results[feature] = f"{type(error).__name__}: {' '.join(lines[:4])}"[:600]
    sys.stdout.write(json.dumps(results) + "\n")
