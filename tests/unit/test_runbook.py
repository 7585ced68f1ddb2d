"""The runbook has a heading for each code that a page shows, with the page's own heading, where to look first, and what to mend."""

import re

import pytest

from sandbox.repository import ROOT
from tripod_flow.api import text
from tripod_flow.rules import errors

PAGE = (ROOT / "docs" / "operating.md").read_text()
SENT_IN = PAGE.split("\n## What a user sends in\n")[1].split("\n## ")[0]
FOR_LAMBDAS = {"token_not_found", "ticket_rejected"}  # revoke's and redeem's: no browser comes there
PAGES = {code: [words.title] for code, words in text.PROBLEMS.items() if code not in FOR_LAMBDAS}
PAGES |= {code: [text.LINK.title] for code in ("bad_request", "return_to_not_allowed", "unknown_provider")}
PAGES["bad_request"] += [text.NOT_A_PIN.title]
PAGES["verifier_rejected"] += [text.NO_PIN_LEFT.title, text.WRONG_PIN.title]
PAGES["provider_rejected"] += [each.title for each in text.ACCOUNT_PROBLEMS.values()]


def section(code: str) -> str:
    return SENT_IN.split(f"\n### {code}\n")[1].split("\n### ")[0]


@pytest.mark.parametrize("code", PAGES)
def test_what_a_user_sends_in_has_an_entry(code: str) -> None:
    told = section(code)
    for title in PAGES[code]:
        assert f"*{title.replace('{provider}', '…')}*" in told
    assert re.search(r"\*\*First look\.\*\*\s.+\*\*Mend\.\*\*\s.", told, re.DOTALL)


def test_no_entry_is_about_what_no_page_shows() -> None:
    assert sorted(re.findall(r"^### (\w+)$", SENT_IN, re.MULTILINE)) == sorted(PAGES)
    assert PAGES.keys() <= {kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
