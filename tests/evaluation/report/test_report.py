"""The report: one file that holds everything, loads nothing, and believes no text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.report.documents import bare, full, router
from tierline.evaluation.document import Document, Finding, Slice
from tierline.evaluation.report.page import SECTIONS, report

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>\"' onload=\"alert(2)\x00\x1b{{7*7}}"
VOID = {"meta", "br", "hr", "img", "col", "link", "input"}


class Reader(HTMLParser):
    """Reads a page: its tags in balance, its attributes, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.crossed: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\xa0", " ").split())

    def attributes(self, name: str) -> list[str | None]:
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def shown(document: Document) -> set[str]:
    reader = Reader(report(document))
    return {str(attributes["id"]) for tag, attributes in reader.tags if tag == "section" and "id" in attributes} - {"absent"}


@pytest.fixture(scope="module")
def page() -> Reader:
    return Reader(report(full()))


def test_it_is_well_formed_html_with_one_title_and_one_main(page: Reader) -> None:
    assert (page.open, page.crossed) == ([], [])
    names = [tag for tag, _ in page.tags]
    assert (names.count("main"), names.count("h1"), names.count("html")) == (1, 1, 1)
    assert [tag for tag in names if tag in ("script", "link", "iframe", "img", "object", "form")] == []


def test_it_asks_for_nothing_from_anywhere(page: Reader) -> None:
    assert not re.search(r"https?:|//\w|@import|url\(", report(full()))
    assert any("default-src 'none'" in str(content) for content in page.attributes("content"))


def test_every_address_in_it_is_a_place_in_itself(page: Reader) -> None:
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {str(href)[1:] for href in page.attributes("href")} <= set(ids)
    assert {str(name) for name in page.attributes("aria-labelledby")} <= set(ids)


def test_the_headline_says_the_advantage_and_its_interval(page: Reader) -> None:
    assert "support scorer beats a random mix of the same cost." in page.text
    assert "8.3 points more than a coin that throws between models at the same cost (95 % interval +6.1 to +10.4)" in page.text


@pytest.mark.parametrize(
    ("low", "high", "said"), [(-0.02, 0.03, "is not shown to beat"), (-0.09, -0.01, "loses to"), (0.001, 0.03, "beats a random mix")]
)
def test_an_interval_that_holds_zero_proves_nothing(low: float, high: float, said: str) -> None:
    row = router()
    assert row.advantage is not None
    changed = msgspec.structs.replace(row, advantage=msgspec.structs.replace(row.advantage, low=low, high=high))
    assert said in Reader(report(msgspec.structs.replace(full(), routers={"support scorer": changed}))).text


def test_a_router_without_a_control_has_no_headline_figure() -> None:
    row = msgspec.structs.replace(router(), advantage=None, why={"advantage": "there are no costs"})
    text = Reader(report(msgspec.structs.replace(full(), routers={"support scorer": row}))).text
    assert "There is no headline figure: there are no costs." in text


def test_a_router_that_has_only_labels_is_told_by_its_tiers() -> None:
    row = msgspec.structs.replace(router(), advantage=None, quality=None, cost=None, why={"advantage": "there are no scores"})
    text = Reader(report(msgspec.structs.replace(full(), routers={"support scorer": row}))).text
    assert "support scorer sends 79.5 % of queries to the tier they need." in text
    assert "Its quality is not known. There is no headline figure: there are no scores." in text


def test_every_section_appears_when_its_data_do(page: Reader) -> None:
    assert shown(full()) == {section(full()).id for section in SECTIONS}
    assert "Not shown, and why" not in page.text


@pytest.mark.parametrize(
    ("section", "without", "why"),
    [
        ("advantage", {"advantage": None}, "it costs nothing"),
        ("regret", {"regret": None}, "it costs nothing"),
        ("slices", {"slices": {}}, "it costs nothing"),
        ("reliability", {"reliability": {}}, "it costs nothing"),
        ("confusion", {"confusion": None}, "it costs nothing"),
        ("cascade", {"cascade": None}, "it costs nothing"),
        ("robustness", {"robustness": None}, "it costs nothing"),
    ],
)
def test_a_section_without_data_is_left_out_with_the_documents_own_reason(section: str, without: dict[str, Any], why: str) -> None:
    row = msgspec.structs.replace(router(), **without, why={"flip_rate" if section == "robustness" else section: why})
    document = msgspec.structs.replace(full(), routers={"support scorer": row}, reference={} if section == "regret" else full().reference)
    assert section not in shown(document)
    assert why in Reader(report(document)).text.split("Not shown, and why")[1]


def test_costs_that_nobody_knows_leave_out_the_chart_and_say_so() -> None:
    text = Reader(report(bare())).text
    assert "curve" not in shown(bare())
    assert "tier labels hold no costs" in text.split("Not shown, and why")[1]
    assert "not asked for: `tierline evaluate --spec S --drill` makes it" in text


def test_hostile_names_are_words_and_nothing_else() -> None:
    document = full()
    row = msgspec.structs.replace(
        router(), slices={HOSTILE: {HOSTILE: Slice(3, document.routers["support scorer"].slices["task"]["code_review"].quality, 0.1)}}
    )
    hostile = msgspec.structs.replace(
        document,
        routers={HOSTILE: row},
        candidates=(HOSTILE,),
        settings={HOSTILE: HOSTILE},
        why={HOSTILE: HOSTILE},
        data=msgspec.structs.replace(
            document.data,
            files=(HOSTILE,),
            models={HOSTILE: document.data.models["eagle"]},
            tasks={HOSTILE: 1},
            findings=(Finding(HOSTILE, "error", HOSTILE, 1, (HOSTILE,)),),
        ),
    )
    reader = Reader(report(hostile, title=HOSTILE, made=HOSTILE))
    assert {tag for tag, _ in reader.tags} <= {tag for tag, _ in Reader(report(full())).tags} | {"abbr"}
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith("on")]
    assert (reader.open, reader.crossed) == ([], [])
    assert "alert('x')" in reader.text, "it is shown, as text"


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=30))
def test_any_name_leaves_the_page_well_formed(name: str) -> None:
    reader = Reader(report(msgspec.structs.replace(full(), routers={name: router()}, candidates=(name,))))
    assert (reader.open, reader.crossed) == ([], [])


def test_every_chart_has_a_name_and_its_numbers_in_a_table(page: Reader) -> None:
    charts = [attributes for tag, attributes in page.tags if tag == "svg"]
    titles = [tag for tag, _ in page.tags if tag == "title"]
    assert charts and all(chart["role"] == "img" for chart in charts)
    assert len(titles) > len(charts)
    for figure in ("+8.30", "71.60 %", "$2.60"):
        assert figure in page.text


def test_numbers_stand_in_the_document_and_not_in_the_page() -> None:
    row = msgspec.structs.replace(router(), quality=0.12345)
    text = Reader(report(msgspec.structs.replace(full(), routers={"support scorer": row}))).text
    assert "12.3 %" in text and "84.7 %" not in text


def test_the_same_document_makes_the_same_page() -> None:
    assert report(full()) == report(full())


def test_tables_name_their_columns_and_rows_for_those_who_hear_them(page: Reader) -> None:
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert sum(tag == "caption" for tag, _ in page.tags) == tables
    assert {attributes.get("scope") for tag, attributes in page.tags if tag == "th"} == {"col", "row"}


@pytest.mark.parametrize("figures", [{}, {"cost": None}, {"quality": None}, {"save_at": {}}, {"curve": ()}])
def test_a_row_with_holes_is_shown_with_dashes(figures: dict[str, Any]) -> None:
    document = msgspec.structs.replace(full(), routers={"r": msgspec.structs.replace(router(), **figures)}, candidates=())
    reader = Reader(report(document))
    assert (reader.open, reader.crossed) == ([], [])
    assert "nan" not in reader.text.lower().split() and "None" not in reader.text
