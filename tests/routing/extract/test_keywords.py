"""Keywords are found alike by the quick automaton of a few and by the compact one of very many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tierline.routing.extract.keywords import QUICK, Keywords, encode

FEW = {word: (place,) for place, word in enumerate(("refund", "re", "fund", "money back", "zurück", "退款", "c++", "back"))}
OTHERS = {f"another keyword {number:06}": (99,) for number in range(QUICK // 20)}
PIECES = st.sampled_from([*FEW, " ", "\n", ".", "x", "ü", "款", "Refund", "MONEY  back", "refunds", "another keyword 000007"])

few, many = Keywords(FEW, {"und": (100,)}), Keywords({**FEW, **OTHERS}, {"und": (100,)})


@given(st.lists(PIECES, max_size=12).map("".join))
def test_the_same_keywords_are_found_however_many_there_are(text: str) -> None:
    haystack = encode(text)

    def found(keywords: Keywords) -> list[tuple[tuple[int, ...], int, int]]:
        return sorted(
            (owners, start, end) for index, start, end in keywords.hits(haystack) if (owners := tuple(keywords.owners[index])) != (99,)
        )

    assert found(few) == found(many)
    assert ("refund" in text.lower().split()) <= any(owners == (0,) for owners, _, _ in found(few))
