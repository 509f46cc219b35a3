"""Fits the weights of the token estimate (`tierline.routing.extract.tokens.WEIGHTS`) and measures them on texts held out.

Development only. It needs packages beside those of Tierline: `pip install bpe-openai numpy scipy duckdb django`
(the exact o200k tokenizer as oracle, the fit, the data folder, and one more source of translated sentences). Run it in an
environment of its own:

    python bench/fit_tokens.py                # weights, and the error for each language on held-out sources

Texts: translated messages of the programs installed on the machine (`/usr/share/locale`, Django's catalogues, systemd's
catalogues, Vim's tutors), prompts and answers of the data folder (`TIERLINE_DATA`), the standard library's source, C headers, and
JSON made from all of it. A source (a file) is either fitted on or measured on, never both. What it measured, and when, stands in
`docs/decisions/0002-token-estimate.md`.
"""

from __future__ import annotations

import gettext
import json
import os
import random
import re
import sys
import sysconfig
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import bpe_openai
import duckdb
import numpy as np
from scipy.optimize import nnls

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
from tierline.routing.extract.tokens import WEIGHTS, counts  # the package is not installed in the fitting environment

DATA = Path(os.environ.get("TIERLINE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
LOCALES = Path("/usr/share/locale")
LANGUAGES = {
    "zh": ["zh_CN", "zh_Hans"], "zh-TW": ["zh_TW", "zh_Hant"], "ja": ["ja"], "ko": ["ko"], "ar": ["ar"], "ru": ["ru"], "de": ["de"],
    "fr": ["fr"], "es": ["es"], "it": ["it"], "pt": ["pt_BR", "pt"], "nl": ["nl"], "pl": ["pl"], "tr": ["tr"], "hi": ["hi"], "uk": ["uk"],
    "he": ["he"], "el": ["el"], "vi": ["vi"], "th": ["th"], "cs": ["cs"], "sv": ["sv"], "fa": ["fa"],
}  # fmt: skip
_HAN, _ARABIC, _CYRILLIC = r"[\u4e00-\u9fff]", r"[\u0600-\u06ff]", r"[\u0400-\u04ff]"
SCRIPT = {
    "zh": _HAN, "zh-TW": _HAN, "ja": r"[\u3040-\u30ff\u4e00-\u9fff]", "ko": r"[\uac00-\ud7a3]", "ar": _ARABIC, "fa": _ARABIC,
    "ru": _CYRILLIC, "uk": _CYRILLIC, "hi": r"[\u0900-\u097f]", "he": r"[\u0590-\u05ff]", "el": r"[\u0370-\u03ff]",
    "th": r"[\u0e00-\u0e7f]",
}  # fmt: skip
Sources = dict[str, dict[str, list[str]]]


def messages(path: Path) -> Iterator[str]:
    """The translated sentences of one catalogue, without those that are mostly placeholders, options or names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            catalogue = gettext.GNUTranslations(path.open("rb"))._catalog  # type: ignore[attr-defined]
        except (OSError, UnicodeDecodeError, ValueError, LookupError):
            return
    for source, text in catalogue.items():
        if (
            source
            and isinstance(text, str)
            and len(text) >= 24
            and source != text
            and len(re.findall(r"[%<>{}]|--", text)) * 20 < len(text)
        ):
            yield re.sub(r"[ \t]+", " ", text)


def in_script(text: str, language: str) -> bool:
    """Whether a third of its letters are of the language's script (always true for Latin)."""
    pattern = SCRIPT.get(language)
    return pattern is None or len(re.findall(pattern, text)) * 3 > sum(map(str.isalpha, text))


def chunks(pieces: list[str], dice: random.Random, joiner: str = "\n") -> list[str]:
    """The pieces joined into texts of 60 to 3,000 characters, as prompts are."""
    made, open_, size, want = [], [], 0, dice.choice((60, 200, 500, 1000, 3000))
    for piece in pieces:
        open_.append(piece)
        size += len(piece)
        if size >= want:
            made.append(joiner.join(open_)[: want * 2])
            open_, size, want = [], 0, dice.choice((60, 200, 500, 1000, 3000))
    return made


def translated(dice: random.Random) -> Sources:
    """Language → source → texts, from catalogues."""
    found: Sources = defaultdict(lambda: defaultdict(list))
    roots = [LOCALES, *(Path(p) / "django" for p in sys.path if (Path(p) / "django").is_dir())]
    for language, names in LANGUAGES.items():
        for name in names:
            for root in roots:
                for path in sorted(root.glob(f"**/{name}/LC_MESSAGES/*.mo")):
                    if path.name.startswith("iso_"):
                        continue
                    pieces = [t for t in messages(path) if in_script(t, language)]
                    found[language][str(path)] += chunks(pieces, dice, dice.choice((" ", "\n", "\n\n")))
    return found


def tutors(found: Sources, dice: random.Random) -> None:
    """Vim's tutors and systemd's catalogues: longer prose in many languages."""
    for path in [*Path("/usr/share/vim").glob("vim*/tutor/tutor.*.utf-8"), *Path("/usr/lib/systemd/catalog").glob("systemd.*.catalog")]:
        language = "zh-TW" if "zh_tw" in path.name.lower() else path.name.split(".")[1][:2]
        lines = [
            re.sub(r"[=~*-]{4,}", "", line)
            for line in path.read_text(errors="ignore").splitlines()
            if not line.startswith(("--", "Defined-By", "Support"))
        ]
        if language in LANGUAGES:
            found[language][str(path)] += [t for t in chunks([line for line in lines if line.strip()], dice) if in_script(t, language)]


def prompts(found: Sources) -> None:
    """English prompts and answers of the data folder; a table's row of the same question stays in one source."""
    for name, column, source in (
        ("intents", "text", "dataset"), ("mmlu_pro", "query", "task"), ("zeroeval", "query", "task"), ("zeroeval", "response", "model"),
        ("ulab_llmrouter", "query", "task"),
    ):  # fmt: skip
        rows = duckdb.sql(f"select distinct {source}, {column} from '{DATA}/{name}.parquet' where length({column}) > 60").fetchall()
        kept: dict[str, list[str]] = defaultdict(list)
        for key, text in sorted(rows, key=str):
            kept[f"{name}.{column}.{key}"].append(text[:6000])
        for key, texts in kept.items():
            found["code" if ("crux" in key or "mbpp" in key) else "en"][key] += random.Random(key).sample(texts, min(len(texts), 60))


def programs(found: Sources, dice: random.Random) -> None:
    """Python, C and shell source, and JSON made of what else was found."""
    files = [
        *Path(sysconfig.get_path("stdlib")).glob("[a-z]*.py"),
        *Path("/usr/include").glob("*.h"),
        *Path("/usr/share").glob("**/*.js"),
        *Path("/usr/bin").glob("*.sh"),
    ]
    for path in dice.sample(files, min(len(files), 260)):
        text = path.read_text(errors="ignore")
        for _ in range(4):
            start = dice.randrange(max(len(text) - 500, 1))
            found["code"][str(path)].append(text[start : start + dice.choice((200, 500, 1000, 3000))])
    names = ("task", "query_id", "model", "score", "cost_usd", "input_tokens", "output_tokens", "query")
    rows = duckdb.sql(f"select {', '.join(names)} from '{DATA}/mmlu_pro.parquet' using sample 3000").fetchall()
    for index in range(0, len(rows), 3):
        records = [dict(zip(names, r, strict=True)) for r in rows[index : index + 3]]
        for record in records:
            record["query"] = {
                "stem": record["query"][: dice.choice((10, 60, 200))],
                "tags": record["task"].split(),
                "ok": True,
                "next": None,
            }
        found["json"][f"rows.{records[0]['task']}"].append(json.dumps(records, indent=dice.choice((None, 2))))
    for path in [*Path("/usr/share").glob("**/*.json"), *Path(sysconfig.get_path("purelib")).glob("**/*.json")][:300]:
        text = path.read_text(errors="ignore")
        if text.isascii():
            found["json"][str(path)] += [text[s : s + dice.choice((300, 1000, 3000))] for s in range(0, min(len(text), 30_000), 6_000)]


def emoji(found: Sources, dice: random.Random) -> None:
    """English and Chinese messages with emoji strewn in, as chats have them."""
    signs = [chr(code) for code in (*range(0x1F600, 0x1F650), *range(0x1F300, 0x1F540, 3), *range(0x2700, 0x27B0, 4))]
    for language in ("en", "zh"):
        for name, texts in sorted(found[language].items()):
            for text in texts[:6]:
                words = re.split(r"(?<=[ ，。])", text[:600])
                found["emoji"][name].append("".join(w + dice.choice(signs) * dice.choice((0, 0, 0, 0, 1, 1, 3)) for w in words))


def collect() -> Sources:
    """Every text, by language and source."""
    dice = random.Random(20261122)
    found = translated(dice)
    tutors(found, dice)
    prompts(found)
    programs(found, dice)
    emoji(found, dice)
    return found


def split(found: Sources) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Whole sources go to one side: two thirds of the texts to fit on, the rest to measure on."""
    fit: dict[str, list[str]] = {}
    held: dict[str, list[str]] = {}
    for language, sources in sorted(found.items()):
        dice = random.Random(language)
        fit[language], held[language] = [], []
        for name in dice.sample(sorted(sources), len(sources)):
            side = fit if len(fit[language]) <= 2 * len(held[language]) else held
            texts = [t for t in sources[name] if len(t) >= 40]
            side[language] += dice.sample(texts, min(len(texts), 200))
        fit[language], held[language] = fit[language][:1500], held[language][:750]
    return fit, held


def table(texts: dict[str, list[str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts, exact tokens and language index of every text."""
    encoding = bpe_openai.get_encoding("o200k_base")
    rows, exact, which = [], [], []
    for index, language in enumerate(sorted(texts)):
        for text in texts[language]:
            rows.append(counts(text))
            exact.append(len(encoding.encode(text, disallowed_special=())))
            which.append(index)
    return np.array(rows, float), np.array(exact, float), np.array(which)


def fit_weights(rows: np.ndarray, exact: np.ndarray, which: np.ndarray, important: np.ndarray) -> np.ndarray:
    """Non-negative weights with the least mean absolute relative error, every language counting the same (those aimed at, more)."""
    share = important[which] / np.bincount(which)[which]
    weights = np.ones(len(exact))
    solved = np.zeros(rows.shape[1])
    for _ in range(40):
        scale = np.sqrt(share * weights) / exact
        solved, _ = nnls(rows * scale[:, None], exact * scale)
        weights = 1 / np.maximum(np.abs(rows @ solved / exact - 1), 0.02)
    return solved


def errors(estimate: np.ndarray, exact: np.ndarray) -> tuple[float, float, float]:
    """Median and 90th percentile of the relative error, and the relative bias of the sum."""
    relative = np.abs(estimate / exact - 1)
    return float(np.median(relative)), float(np.quantile(relative, 0.9)), float(estimate.sum() / exact.sum() - 1)


AIMED = {"en": 3.0, "zh": 2.0, "ja": 2.0, "ko": 2.0, "ar": 2.0, "ru": 2.0, "de": 2.0, "code": 3.0, "json": 2.0}


def main() -> None:
    fit, held = split(collect())
    languages = sorted(fit)
    rows, exact, which = table(fit)
    solved = fit_weights(rows, exact, which, np.array([AIMED.get(language, 1.0) for language in languages]))
    print("weights:", dict(zip(WEIGHTS, solved.round(4).tolist(), strict=True)))
    rows, exact, which = table(held)
    in_use = np.array([*WEIGHTS.values()])
    print("held out       texts  median   p90    bias | in use: median   p90    bias | chars/4: median")
    for index, language in enumerate(languages):
        mine = which == index
        chars = np.array([len(t) / 4 for t in held[language]])
        new, old, naive = errors(rows[mine] @ solved, exact[mine]), errors(rows[mine] @ in_use, exact[mine]), errors(chars, exact[mine])
        print(
            f"{language:14s} {mine.sum():5d}  {new[0]:6.1%} {new[1]:6.1%} {new[2]:+7.1%} |        "
            f"{old[0]:6.1%} {old[1]:6.1%} {old[2]:+7.1%} |          {naive[0]:6.1%}"
        )


if __name__ == "__main__":
    main()
