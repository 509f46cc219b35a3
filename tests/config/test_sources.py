"""Sources of tools first: their secrets are read for use, and stand nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.spec_text import FLEET
from tierline.config.answer_text import filled, names
from tierline.config.load import load
from tierline.config.sql_text import numbered, parameters, reads

SOURCES = """\
sources:
  shop: {url: "${SHOP_DB}", query: select 1 as one}
  search: {url: "https://search/v1", headers: {authorization: "Bearer ${SEARCH_KEY}", x-plain: "abcdefghij0123456789abcd"}}
  old: {url: "postgresql://shop:hunter2@db/shop", query: select 2}
routes:
  auto: {tools_first: [{sql: shop, pattern: shop}, {http: search, pattern: search}, {sql: old, pattern: old}]}
"""
ENVIRON = {"OPENAI_API_KEY": "sk-x", "SHOP_DB": "postgresql://shop:secret-of-the-shop@db/shop", "SEARCH_KEY": "secret-of-the-search"}


def test_what_reads_the_environment_is_filled_in_for_use_only(tmp_path: Path) -> None:
    (tmp_path / "tierline.yaml").write_text(FLEET + SOURCES, encoding="utf-8")
    loaded = load(tmp_path / "tierline.yaml", ENVIRON)
    assert loaded.sources["shop"].url == ENVIRON["SHOP_DB"]
    assert dict(loaded.sources["search"].headers)["authorization"] == "Bearer secret-of-the-search"
    shown = loaded.canonical.decode() + repr(loaded) + str(loaded.warnings)
    assert not [secret for secret in ("secret-of", "hunter2", "abcdefghij") if secret in shown]
    assert "${SHOP_DB}" in loaded.canonical.decode()


def test_a_table_that_changed_is_seen_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "tierline.yaml").write_text(FLEET + "routes:\n  auto: {tools_first: [{lookup: faq.csv}]}\n", encoding="utf-8")
    (tmp_path / "faq.csv").write_text("question,answer\na,b\n", encoding="utf-8")
    before = load(tmp_path / "tierline.yaml", ENVIRON)
    (tmp_path / "faq.csv").write_text("question,answer\na,c\n", encoding="utf-8")
    after = load(tmp_path / "tierline.yaml", ENVIRON)
    assert before.files.keys() == after.files.keys() == {"faq.csv"}
    assert before.files != after.files
    assert before.fingerprint == after.fingerprint


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select a from b where c = :id", ("id",)),
        ("select :a, :b, :a", ("a", "b")),
        ("select a::text, 'no :such', \"nor :this\", $$ :nor $$, $x$ :that $x$ from b -- :or\n where /* :these */ c = :id", ("id",)),
        ("select 'it''s :quoted' where a=:b", ("b",)),
        ("select a[1:2], x:y from b", ()),
    ],
)
def test_only_what_is_a_parameter_is_taken_for_one(query: str, found: tuple[str, ...]) -> None:
    assert parameters(query) == found


def test_numbering_changes_the_parameters_alone() -> None:
    assert numbered("select :b, ':b', a::text where :a = :b") == "select $1, ':b', a::text where $2 = $1"


@pytest.mark.parametrize(
    ("query", "good"),
    [
        ("select 1", True),
        ("  -- first\n (select 1);", True),
        ("with a as (select 1) select * from a", True),
        ("values (1)", True),
        ("select ';'", True),
        ("select 1; drop table a", False),
        ("update a set b = 1", False),
        ("", False),
    ],
)
def test_a_query_that_reads_is_known_by_how_it_begins_and_that_it_is_one(query: str, good: bool) -> None:
    assert reads(query) is good


def test_a_template_takes_names_and_nothing_else() -> None:
    assert names("{a} and {b}, {a}; {{c}}") == ("a", "b")
    assert filled("{a} and {{c}}", {"a": "{b}"}) == "{b} and {c}"
    for bad in ("{a.b}", "{a[0]}", "{a!r}", "{a:>10}", "{}", "{0}", "{a"):
        with pytest.raises(ValueError, match=r".+"):
            names(bad)
