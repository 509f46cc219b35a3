"""A labelled set: every value stands in prose, code, JSON and a log line; beside them what only looks like one.

It is made by its own sums, not by the detector's, from a fixed seed. `bench/sensitivity.py` measures precision and recall on it.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Case(NamedTuple):
    """A text, and what stands in it: kind and value, or nothing; `about` says what it is."""

    text: str
    kind: str
    value: str
    about: str


FRAMES: dict[str, tuple[str, ...]] = {
    "": (
        "{}",
        "Here you go: {}.",
        "I have {} on file, is that right?",
        '{{"value": "{}"}}',
        "2026-10-12T08:01:02Z INFO got {} ok",
        "- {}\n- next",
    ),
    "phone": ("Call {} please.", "Tel.: {}", '{{"phone": "{}"}}', "My number is {}, ring me."),
    "secret": ("{}", "export IT={}", "use {} for it", '{{"value": "{}"}}', "curl -H 'X-Auth: {}' https://api.example.com"),
    "assigned": ('password = "{}"', "DB_PASSWORD={}", '{{"client_secret": "{}"}}', "api_key: '{}'", "my token is {}"),
    "id_cued": ("My SSN: {}", "social security number {}"),
}


def luhn(digits: str) -> str:
    """These digits with the check digit that fits."""
    total = sum(int(d) if n % 2 else sum(divmod(2 * int(d), 10)) for n, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def card(dice: random.Random) -> str:
    prefix, length = dice.choice([("4", 16), ("51", 16), ("55", 16), ("37", 15), ("6011", 16), ("4", 16), ("2221", 16)])
    plain = luhn(prefix + "".join(dice.choices(string.digits, k=length - len(prefix) - 1)))
    if length == 16 and dice.random() < 0.6:
        return dice.choice(" -").join(plain[at : at + 4] for at in range(0, 16, 4))
    return plain


def iban(dice: random.Random) -> str:
    country, length = dice.choice([("DE", 22), ("NL", 18), ("FR", 27), ("GB", 22), ("ES", 24), ("CH", 21), ("PL", 28)])
    letters = "".join(dice.choices(string.ascii_uppercase, k=4)) if country in ("NL", "GB") else ""
    account = letters + "".join(dice.choices(string.digits, k=length - 4 - len(letters)))
    rest = int("".join(str(int(char, 36)) for char in f"{account}{country}00")) % 97
    plain = f"{country}{98 - rest:02d}{account}"
    return " ".join(plain[at : at + 4] for at in range(0, length, 4)) if dice.random() < 0.5 else plain


def email(dice: random.Random) -> str:
    name = dice.choice(["ann.lee", "bob+shop", "c_diaz", "d'arcy", "info", "j.-p", "müller", "x1", "first.middle.last"])
    return (
        f"{name}{dice.randrange(99)}@{dice.choice(['example.org', 'mail.example.co.uk', 'sub-1.example.io', 'bücher.example', 'a.museum'])}"
    )


def phone(dice: random.Random) -> str:
    n = lambda count: "".join(dice.choices("23456789", k=count))  # noqa: E731  # a line says it best
    return dice.choice(
        [
            f"+1 {dice.choice(['212', '415', '303'])} {n(3)} {n(4)}",
            f"({dice.choice(['212', '415', '303'])}) {n(3)}-{n(4)}",
            f"{dice.choice(['212', '415', '303'])}-{n(3)}-{n(4)}",
            f"+49 30 {n(6)}",
            f"+44 20 7{n(3)} {n(4)}",
            f"+33 6 {n(2)} {n(2)} {n(2)} {n(2)}",
            f"+4915{dice.choice('127')}{n(8)}",
        ]
    )


def national_id(dice: random.Random) -> str:
    def dni() -> str:
        number = dice.randrange(10**7, 10**8)
        return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"

    def cpf() -> str:
        digits = [dice.randrange(10) for _ in range(9)]
        for _ in range(2):
            total = sum(digit * weight for digit, weight in zip(digits, range(len(digits) + 1, 1, -1), strict=True))
            digits.append((total * 10 % 11) % 10)
        text = "".join(map(str, digits))
        return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"

    def two(low: int, high: int) -> str:
        return f"{dice.randrange(low, high):02d}"

    def resident() -> str:
        digits = f"11010{two(1, 9)[1]}19{two(50, 99)}{two(1, 9)}{two(10, 28)}{dice.randrange(100, 999)}"
        weights = [2 ** (17 - at) % 11 for at in range(17)]
        return digits + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11]

    def nir() -> str:
        number = f"{dice.choice('12')}{dice.randrange(50, 99)}0{dice.randrange(1, 9)}75{dice.randrange(100, 999)}{dice.randrange(100, 999)}"
        return f"{number}{97 - int(number) % 97:02d}"

    def ssn() -> str:
        return f"{dice.randrange(100, 665)}-{dice.randrange(10, 99)}-{dice.randrange(1000, 9999)}"

    def personnummer() -> str:
        whole = luhn(f"{two(50, 99)}{two(1, 9)}{two(10, 28)}{dice.randrange(100, 999)}")
        return f"{whole[:6]}-{whole[6:]}"

    def nino() -> str:
        return f"{dice.choice(['AB', 'CE', 'JG', 'SX'])} {two(10, 99)} {two(10, 99)} {two(10, 99)} {dice.choice('ABCD')}"

    return dice.choice([dni, cpf, resident, nir, ssn, personnummer, nino])()


def secret(dice: random.Random) -> str:
    def some(count: int, of: str = string.ascii_letters + string.digits) -> str:
        return "".join(dice.choices(of, k=count - 1)) + dice.choice(string.digits)

    return dice.choice(
        [
            f"AKIA{some(16, string.ascii_uppercase + string.digits)}",
            f"sk-proj-{some(48)}",
            f"sk-ant-api03-{some(80)}",
            f"ghp_{some(36)}",
            f"github_pat_{some(22)}_{some(59)}",
            f"xoxb-{some(12, string.digits)}-{some(24)}",
            f"AIza{some(35)}",
            f"glpat-{some(20)}",
            f"sk_live_{some(24)}",
            f"hf_{some(34)}",
            f"eyJhbGciOiJIUzI1NiJ9.eyJ{some(40)}.{some(43)}",
            f"-----BEGIN RSA PRIVATE KEY-----\n{some(64)}\n{some(64)}\n-----END RSA PRIVATE KEY-----",
        ]
    )


def assigned(dice: random.Random) -> str:
    return (
        "".join(dice.choices(string.ascii_letters, k=7))
        + dice.choice("!_-@#")
        + "".join(dice.choices(string.digits, k=4))
        + dice.choice("xyz")
    )


KINDS: tuple[tuple[str, str, Callable[[random.Random], str]], ...] = (
    ("email", "", email),
    ("phone", "phone", phone),
    ("credit_card", "", card),
    ("iban", "", iban),
    ("national_id", "", national_id),
    ("secret", "secret", secret),
    ("secret", "assigned", assigned),
)


def decoy(dice: random.Random) -> tuple[str, str]:
    """What only looks like one, and what it is."""
    digits = lambda count: "".join(dice.choices(string.digits, k=count))  # noqa: E731
    hexes = lambda count: "".join(dice.choices("0123456789abcdef", k=count))  # noqa: E731
    good = card(dice)
    wrong = good[:-1] + str((int(good[-1]) + dice.randrange(1, 9)) % 10)
    account = iban(dice)
    return dice.choice(
        [
            (f"order {digits(dice.choice([6, 8, 10, 12]))}", "an order number"),
            (f"card {wrong}", "a card that does not add up"),
            (account[:-1] + str((int(account[-1]) + 1) % 10), "an account that does not add up"),
            (f"20{digits(2)}-0{dice.randrange(1, 9)}-1{digits(1)}T1{digits(1)}:05:59+02:00", "a date"),
            (f"{hexes(8)}-{hexes(4)}-4{hexes(3)}-a{hexes(3)}-{hexes(12)}", "a UUID"),
            (hexes(dice.choice([32, 40, 64])), "a hash"),
            (f"commit {hexes(40)}", "a commit"),
            (f"v{dice.randrange(9)}.{dice.randrange(99)}.{dice.randrange(9999)}", "a version"),
            (f"{dice.randrange(1, 255)}.{dice.randrange(255)}.{dice.randrange(255)}.{dice.randrange(255)}:8080", "an address of the net"),
            (f"ts={dice.randrange(1_600_000_000, 1_800_000_000)}", "a Unix time"),
            (f"pi is 3.{digits(15)}", "a fraction"),
            (f"{dice.randrange(1, 999)},{digits(3)},{digits(3)}.{digits(2)} USD", "an amount"),
            ("@dataclass\nclass Point:\n    x: int = 0", "a decorator"),
            ('npm install "@types/node"@20.1.0', "a package"),
            ("token = get_token(request)", "code that reads a token"),
            ("password: str | None = None", "a type"),
            ('api_key=os.environ["OPENAI_API_KEY"]', "a look-up"),
            ("secret: ${DB_SECRET_NAME}", "a reference"),
            ("max_tokens=4096, token_count: 123456789", "a count of tokens"),
            ("sk-learn and sk-image are libraries", "libraries"),
            ("the key is under the mat, the password is unknown", "prose about keys"),
            (f"ISBN 978-3-16-{digits(6)}-0", "a book"),
            (f"lat 52.{digits(6)}, lon 13.{digits(6)}", "a place"),
            (f"tracking 1Z{hexes(16).upper()}", "a parcel"),
            (f"#{hexes(6)} and #{hexes(6)}", "colours"),
            (f"{digits(3)}-{digits(2)}", "a part number"),
            ("x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]", "a list of numbers"),
            (f"invoice 2026/{digits(5)}-{digits(3)}", "an invoice"),
            ("foo @ bar . baz, see user@localhost", "no address"),
            (f"rgb({dice.randrange(255)}, {dice.randrange(255)}, {dice.randrange(255)})", "a colour"),
        ]
    )


def cases(each: int = 60, decoys: int = 900, seed: int = 7) -> Iterator[Case]:
    """`each` values of every kind in every frame of it, and so many decoys."""
    dice = random.Random(seed)
    for kind, frames, make in KINDS:
        for frame in FRAMES[frames]:
            for _ in range(each):
                value = make(dice)
                yield Case(frame.format(value), kind, value, kind)
    for _ in range(decoys):
        text, about = decoy(dice)
        yield Case(dice.choice(("{}", "Look: {}", "{}\nand so on", "see {} there")).format(text), "", "", about)
