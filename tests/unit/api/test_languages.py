import re
import string
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.repository import ROOT
from tripod_flow.api import languages, text
from tripod_flow.api.text import Text
from tripod_flow.rules import backoff

NAMES = list(languages.Words.__annotations__)
TRANSLATED = [import_module(f"tripod_flow.api.languages.{name}") for name in languages.MODULES]
RIGHT_TO_LEFT = ("ar", "he")
OTHER_SCRIPTS = ("ja", "zh-Hans", "ko", "ar", "he")
# What is the same in another language: names of the protocol's and of the web's things.
SAME = {"PIN", "Ticket", "LANGUAGE"}
ENGLISH_WORDS = {"the", "your", "you", "this", "that", "was", "not", "and", "with", "again", "please", "account", "try", "here"}
THEIRS = {"it": {"account"}}  # English words that a language has as its own


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE-at", "de"),
        ("pt-BR", "pt"),
        ("pt-PT,pt;q=0.9", "pt"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hans", "zh-Hans"),
        ("zh-Hans-TW", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hant", "en"),
        ("zh-TW, zh-Hant-HK", "en"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("iw", "he"),
        ("iw-IL, en;q=0.5", "he"),
        ("sv-SE,sv;q=0.9,fr;q=0.8,en;q=0.7", "fr"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("de;q=0.5, fr;q=0.8, en;q=0.7", "fr"),
        ("fr, de", "fr"),
        ("de, fr", "de"),
        ("de-CH;q=0.2, de;q=0.9, it;q=0.5", "de"),
        ("ja ; q=0.5 , ko\t;\tq=0.6", "ko"),
        ("fr;q=0", "en"),
        ("fr;q=0, de;q=0.001", "de"),
        ("fr;q=0.000, it;q=0.", "en"),
        ("de-AT;q=0, de", "de"),
        ("*", "en"),
        ("*;q=0", "en"),
        ("sv, *;q=0.5", "en"),
        ("de, *", "de"),
        ("de;q=0.3, *;q=0.5", "en"),
        ("*, en;q=0", "de"),
        ("*, en;q=0, de;q=0", "fr"),
        ("*, en;q=0, iw;q=0, " + ",".join(f"{name};q=0" for name in languages.MODULES), "en"),
        ("*;q=0.1, en;q=0, pl;q=0.2", "pl"),
        ("", "en"),
        (",,;q=1, ;", "en"),
        ("de;q=2", "en"),
        ("de;q=1.001", "en"),
        ("de;q=0.1234", "en"),
        ("de;q=-1", "en"),
        ("de;q=nan", "en"),
        ("de;q=", "en"),
        ("de;q=1;q=1", "en"),
        ("de;level=1", "en"),
        ("de_DE, fr;q=0.1", "fr"),
        ("d\N{COMBINING DIAERESIS}e, fr;q=0.1", "fr"),
        ("de-, fr;q=0.1", "fr"),
        ("deutsch", "en"),
        ("../de", "en"),
        ("__init__", "en"),
        (" de ", "de"),
        ("de;q=\N{FULLWIDTH DIGIT ONE}", "en"),
    ],
)
def test_the_language_that_fits_best_is_chosen(accept_language: str, language: str) -> None:
    assert languages.words(accept_language).LANGUAGE[0] == language


def test_only_the_beginning_of_a_long_header_is_looked_at() -> None:
    beginning = "xx," * (languages.MAX_LENGTH // 3)
    assert languages.words("fr;q=0.1," + beginning + "de,xx").LANGUAGE[0] == "fr"
    at_the_edge = "fr;q=0.5," + " " * (languages.MAX_LENGTH - 11) + "de"
    assert len(at_the_edge) == languages.MAX_LENGTH
    assert languages.words(at_the_edge).LANGUAGE[0] == "de"
    assert languages.words(at_the_edge + "-AT").LANGUAGE[0] == "fr"  # what is cut is not guessed at


@given(st.one_of(st.text(max_size=60), st.text("deaofrnzh-*;q=01. ,\t", max_size=60)))
def test_any_header_gets_a_language(accept_language: str) -> None:
    assert languages.words(accept_language).LANGUAGE[0]


def texts(module: Any) -> Iterator[tuple[str, str]]:
    """Return each text of a language with its name."""
    for name in NAMES:
        value = getattr(module, name)
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for key, part in parts:
            fields = part._asdict().items() if isinstance(part, Text) else [("", part)]
            for field, words in fields:
                if name != "LANGUAGE":
                    yield f"{name} {key} {field}", words


def placeholders(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


def test_there_is_a_module_for_every_language_and_no_other() -> None:
    found = sorted(path.stem for path in Path(languages.__file__).parent.glob("*.py"))
    assert found == sorted(["__init__", *languages.MODULES])
    assert [module.LANGUAGE[0].partition("-")[0] for module in TRANSLATED] == list(languages.MODULES)
    assert len({module.LANGUAGE for module in TRANSLATED}) == len(TRANSLATED) == 11
    for module in TRANSLATED:
        assert module.LANGUAGE[1] == ("rtl" if module.LANGUAGE[0] in RIGHT_TO_LEFT else "ltr")


@pytest.mark.parametrize("module", TRANSLATED, ids=lambda module: module.LANGUAGE[0])
def test_a_language_has_every_text_with_the_same_values_in_it(module: ModuleType) -> None:
    assert {name for name in vars(module) if name.isupper()} == set(NAMES)
    assert module.WHEN.keys() >= {0, 1, 2}
    ours, english = dict(texts(module)), dict(texts(text))
    assert {name for name in ours if not name.startswith("WHEN")} == {name for name in english if not name.startswith("WHEN")}
    for name, words in ours.items():
        if name.startswith("WHEN"):
            assert placeholders(words) <= {"minutes"}, name
            continue
        assert placeholders(words) == placeholders(english[name]), name
        assert bool(words) == bool(english[name]), name
        assert words == words.strip(), name


@pytest.mark.parametrize("module", TRANSLATED, ids=lambda module: module.LANGUAGE[0])
def test_nothing_of_a_language_is_left_in_english(module: ModuleType) -> None:
    language, english = module.LANGUAGE[0], dict(texts(text))
    for name, words in texts(module):
        if not words:
            continue
        assert words != english.get(name) or words in SAME, name
        plain = re.sub(r"\{\w+\}", " ", words)
        latin = set(re.findall(r"[A-Za-z_]+", plain))
        if language in OTHER_SCRIPTS:
            assert latin <= {"PIN", "Cookie", "return_to"}, name
        assert not {word.lower() for word in latin} & ENGLISH_WORDS - THEIRS.get(language, set()), name


@pytest.mark.parametrize("module", [text, *TRANSLATED], ids=lambda module: module.LANGUAGE[0])
def test_when_to_try_again_is_said_in_every_language(module: Any) -> None:
    told = {minutes: text.when(minutes * 60, module.WHEN) for minutes in range(1, backoff.LONGEST // 60 + 1)}
    assert len(set(told.values())) == len(told)
    assert all(str(minutes) in words for minutes, words in told.items() if minutes > 2)
    assert text.when(None, module.WHEN) == text.when(29, module.WHEN) == module.WHEN[0]
    assert text.when(30, module.WHEN) == told[1]


def test_plural_forms_are_those_of_the_number() -> None:
    arabic = import_module("tripod_flow.api.languages.ar").WHEN
    assert [text.when(minutes * 60, arabic) for minutes in (1, 2, 3, 10, 11, 99)] == [
        "بعد دقيقة",
        "بعد دقيقتين",
        "بعد 3 دقائق",
        "بعد 10 دقائق",
        "بعد 11 دقيقة",
        "بعد 99 دقيقة",
    ]


IMPORTED = """
import sys
from functions.{function} import handler
from tripod_flow.api import http_request, responses
from tripod_flow.flows.start import BegunAuthorization
from tripod_flow.rules import errors
from tests.support.http_event import event
headers = {{"accept": {accept!r}, "accept-language": {language!r}}}
request = http_request.read(event("denied=t", headers=headers, routeKey="GET /oauth/{{provider}}/callback"), loopback=False)
answer = {answer}
assert answer["statusCode"] == {status}, answer
print(*(name for name in sys.modules if name.startswith("tripod_flow.api.languages")))
"""
BEGUN = 'responses.begun(request, BegunAuthorization("https://x.example", "t", 0, "__Host-tripod-0", "1", "id"))'
PROBLEM = "responses.problem(request, errors.Expired())"
HTML, JSON = "text/html", "application/json"


@pytest.mark.parametrize(
    ("function", "answer", "status", "asked", "imported"),
    [
        ("start", BEGUN, 302, (HTML, "de"), []),
        ("start", BEGUN, 200, (JSON, "de"), []),
        ("start", 'responses.start_failed("https://a.example/", "x", errors.Expired())', 303, (HTML, "de"), []),
        ("callback", PROBLEM, 410, (JSON, "de"), []),
        ("callback", PROBLEM, 410, (HTML, "en-US,en;q=0.9,de;q=0.8"), [""]),
        ("callback", PROBLEM, 410, (HTML, "de-AT,de;q=0.9,fr;q=0.8"), ["", ".de"]),
    ],
    ids=[
        "redirect to the provider",
        "JSON of start",
        "redirect to the app",
        "problem in JSON",
        "page in English",
        "page in German",
    ],
)
def test_a_language_is_imported_with_the_first_page_in_it(
    function: str, answer: str, status: int, asked: tuple[str, str], imported: list[str]
) -> None:
    code = IMPORTED.format(function=function, answer=answer, status=status, accept=asked[0], language=asked[1])
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT}/layers/flow:{ROOT}/layers/tripod"}
    finished = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert finished.stdout.split() == [f"tripod_flow.api.languages{name}" for name in imported]
