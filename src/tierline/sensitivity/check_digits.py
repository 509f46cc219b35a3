"""The sums by which numbers are protected against slips of the pen: what does not add up was never given to anybody.

Every function takes digits alone (or digits and the letters that its scheme allows, in upper case) and says whether they add up.
"""

from __future__ import annotations

_VERHOEFF_PRODUCT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6), (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1), (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4), (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_VERHOEFF_TURN = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2), (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1), (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)  # fmt: skip


def luhn(digits: str) -> bool:
    """Payment cards, and several national numbers."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def mod_97(text: str) -> bool:
    """An IBAN without its spaces: its first four characters go to the end, letters count from 10, and 1 must remain."""
    return int("".join([str(int(char, 36)) for char in text[4:] + text[:4]])) % 97 == 1


def weighted(digits: str, weights: tuple[int, ...], modulus: int) -> int:
    """The remainder of the sum of digits times weights."""
    return sum([int(digit) * weight for digit, weight in zip(digits, weights, strict=False)]) % modulus


def mod_11_10(digits: str) -> bool:
    """ISO 7064 mod 11, 10: the German tax number."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def mod_11_2(digits: str) -> bool:
    """ISO 7064 mod 11, 2: the Chinese identity number, whose last sign may be X."""
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2 % 11
    return (total + (10 if digits[-1] in "Xx" else int(digits[-1]))) % 11 == 1


def verhoeff(digits: str) -> bool:
    """The Indian Aadhaar number."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _VERHOEFF_PRODUCT[check][_VERHOEFF_TURN[place % 8][int(digit)]]
    return check == 0
