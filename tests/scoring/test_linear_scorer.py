"""The trained scorer at work: what it says, when it abstains, and which files it refuses."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring import made
from tierline.config.scorer_file import MAGIC, ScorerUnusable, pack, unpack
from tierline.scoring.learned.artifact import decode, encode
from tierline.scoring.learned.asked import asked
from tierline.scoring.learned.beliefs import believe
from tierline.testing import builders
from tierline.testing.checks import check_scorer
from tierline.types.request import Message, Request, Text
from tierline.types.scores import Scores

ORDER = "please tell me where is my parcel 4711 the delivery status"
LAW = "what does this clause of the contract mean for the tenant and liability"
GOLDEN = Path(__file__).parent / "golden" / "v1.tl"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.written(tmp_path_factory.mktemp("scorer"))


def score(path: Path, words: str, *tasks: str, abstain_below: float = 0.6) -> Scores:
    return made.scorer(path, *tasks, abstain_below=abstain_below).score(made.request(words), builders.features(input_tokens=20))


def test_it_keeps_the_laws_of_a_scorer(file: Path) -> None:
    texts = [ORDER, LAW, "", "hello", "x" * 20_000, "数学の問題", "\ud800"]
    check_scorer(made.scorer(file, "orders", "law"), [(made.request(text), builders.features()) for text in texts])


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=200), max_size=5))
def test_many_are_scored_as_each_alone_and_every_probability_is_one(file: Path, texts: list[str]) -> None:
    scorer = _scorer(file)
    pairs = [(made.request(text), builders.features()) for text in texts]
    told = scorer.score_many(pairs)
    assert told == [scorer.score(*pair) for pair in pairs]
    assert all(0 <= p <= 1 for one in told for p in (*one.task.values(), *one.good.values()))


@lru_cache(1)
def _scorer(file: Path) -> made.LinearScorer:
    return made.scorer(file, "orders")


def test_it_believes_in_the_cheap_model_where_it_was_good(file: Path) -> None:
    easy, hard = score(file, ORDER), score(file, LAW)
    assert easy.good["mini"] > 0.85
    assert hard.good["mini"] < 0.45
    assert hard.good["opus"] > 0.85
    assert easy.difficulty is not None and hard.difficulty is not None and easy.difficulty < hard.difficulty


def test_it_names_a_task_that_the_spec_has(file: Path) -> None:
    told = score(file, LAW, "law", "orders")
    assert max(told.task, key=told.task.__getitem__) == "law"
    assert not told.abstained


def test_it_names_no_task_that_the_spec_has_not(file: Path) -> None:
    told = score(file, LAW, "orders")
    assert (dict(told.task), told.abstained) == ({}, False)
    assert told.good["opus"] > 0.85


def test_it_abstains_below_its_margin(file: Path) -> None:
    assert score(file, f"{ORDER} {LAW}", "orders", "law", abstain_below=0.999).abstained


def test_what_a_call_costs_follows_the_prices_of_the_spec(file: Path) -> None:
    told = score(file, ORDER)
    assert told.cost["sonnet"] == pytest.approx((20 * 3.0 + 100 * 15.0) / 1e6, rel=0.1)
    assert told.cost["opus"] == pytest.approx((20 * 15.0 + 200 * 75.0) / 1e6, rel=0.1)


def test_a_task_that_the_guard_refused_is_left_to_what_holds_over_all_tasks(tmp_path: Path) -> None:
    learned = made.usual()
    refused = msgspec.structs.replace(learned, artifact=msgspec.structs.replace(learned.artifact, route=(False,) * 3))
    path = made.written(tmp_path, refused)
    easy, hard = score(path, ORDER), score(path, LAW)
    assert easy.abstained and hard.abstained
    assert easy.good == hard.good
    assert dict(easy.cost) == {}


def test_a_model_is_known_by_its_upstream_name_too(file: Path) -> None:
    fleet = {"small": {"upstream": "mini"}, "stranger": {}}
    scorer = made.LinearScorer(builders.loaded({}, fleet), 0.6, str(file))
    assert set(scorer.score(made.request(ORDER), builders.features()).good) == {"small"}


def test_a_scorer_of_other_models_is_refused(file: Path) -> None:
    with pytest.raises(ScorerUnusable, match="knows no model of the spec: it knows mini, sonnet, opus"):
        made.LinearScorer(builders.loaded({}, {"stranger": {}}), 0.6, str(file))


def test_a_file_says_the_same_as_what_was_fitted(file: Path) -> None:
    fitted, read = made.usual().artifact, decode(unpack(file.read_bytes(), "s"), "s")
    for words in (ORDER, LAW, "hello"):
        one, other = believe(fitted.fitted, words), believe(read.fitted, words)
        assert np.allclose(one.good, other.good, atol=0.01)
    assert (read.route, read.best, read.price) == (fitted.route, fitted.best, fitted.price)


def test_the_same_artifact_has_the_same_bytes() -> None:
    assert encode(made.usual().artifact) == encode(made.usual().artifact)
    assert encode(made.trained(made.table(90)).artifact) == encode(made.trained(made.table(90)).artifact)


@pytest.mark.parametrize("golden", sorted(GOLDEN.parent.glob("*.tl")), ids=lambda path: path.stem)
def test_every_layout_is_read_for_ever(golden: Path) -> None:
    read = decode(unpack(golden.read_bytes(), golden.name), golden.name)
    told = believe(read.fitted, ORDER)
    expected = msgspec.json.decode(golden.with_suffix(".json").read_bytes())
    assert dict(zip(read.fitted.models, map(float, told.good[0]), strict=True)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no scorer of Tierline"),
        (b"PK\x03\x04 something else entirely, long enough to hold a head", "no scorer of Tierline"),
        (MAGIC, "no scorer of Tierline"),
        (MAGIC + (2).to_bytes(4, "little") + b"\x00" * 100, "later version"),
    ],
)
def test_a_file_that_is_none_is_refused_with_what_to_do(content: bytes, says: str) -> None:
    with pytest.raises(ScorerUnusable, match=says) as refused:
        unpack(content, "scorer.tl")
    assert "→" in refused.value.message


@settings(max_examples=60)
@given(place=st.integers(0, 10**9), change=st.integers(1, 255))
def test_a_file_with_any_byte_changed_is_refused(place: int, change: int) -> None:
    content = bytearray(GOLDEN.read_bytes())
    content[place % len(content)] ^= change
    with pytest.raises(ScorerUnusable):
        unpack(bytes(content), "scorer.tl")


@given(cut=st.integers(0, 10**9))
def test_a_file_that_was_cut_is_refused(cut: int) -> None:
    content = GOLDEN.read_bytes()
    with pytest.raises(ScorerUnusable):
        unpack(content[: cut % len(content)], "scorer.tl")


def _header() -> tuple[object, bytes]:
    file = unpack(GOLDEN.read_bytes(), "s")
    return file.header, file.body


@pytest.mark.parametrize(
    "change",
    [
        {"features": 99},
        {"kind": "other"},
        {"numbers": {}},
        {"route": ()},
        {"models": ()},
        {"models": ("mini",)},
        {"tasks": ("only",), "route": (True,)},
        {"arrays": ()},
    ],
)
def test_a_file_whose_parts_do_not_fit_is_refused_though_its_checksum_is_right(change: dict[str, object]) -> None:
    header, body = _header()
    with pytest.raises(ScorerUnusable, match="train it anew"):
        decode(unpack(pack(msgspec.structs.replace(header, **change), body), "s"), "s")  # type: ignore[type-var]


def test_a_file_that_is_missing_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ScorerUnusable, match="tierline train"):
        made.scorer(tmp_path / "nowhere.tl")


def turns(*texts: tuple[str, str]) -> Request:
    return Request("r", "openai_chat", "auto", tuple(Message(role, (Text(text),)) for role, text in texts))  # type: ignore[arg-type]


def test_the_last_turn_is_judged_and_a_short_one_with_the_turn_before_it() -> None:
    first, long = "Write a contract between tenant and landlord.", "Now explain each clause of it in the words of a child of ten."
    assert asked(turns(("system", "be kind"), ("user", first), ("assistant", "Here."), ("user", long))) == long
    assert asked(turns(("user", first), ("assistant", "Here."), ("user", "go on"))) == f"{first}\ngo on"
    assert asked(turns(("user", "hi"))) == "hi"
    assert asked(turns(("system", "only"))) == ""
