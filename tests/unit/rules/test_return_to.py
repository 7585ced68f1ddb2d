import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripod_flow.rules.return_to import AllowList, with_outcome

ALLOWED = AllowList.parse(
    "https://app.example/done, https://app.example/account/*,http://127.0.0.1:3000/cb, https://root.example"
)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example/done",
        "https://app.example:443/done",
        "https://APP.example/done",
        "https://app.example/done?state=a%20b&next=%2Fhome",
        "https://app.example/account/",
        "https://app.example/account/settings/x",
        "http://127.0.0.1:3000/cb",
        "https://root.example/",
        "https://root.example",
    ],
)
def test_what_the_list_allows_may_be_returned_to(url: str) -> None:
    assert ALLOWED.flaw(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/done",
        "//app.example/done",
        "https:app.example/done",
        "https:///app.example/done",
        "javascript:alert(1)//https://app.example/done",
        "http://app.example/done",
        "ftp://app.example/done",
        "https://app.example/done/",
        "https://app.example/DONE",
        "https://app.example/account",
        "https://app.example/accounting",
        "https://app.example/account/../admin",
        "https://app.example/account/..",
        "https://app.example/account/%2e%2e/admin",
        "https://app.example/account/.%2E/admin",
        "https://app.example/account/%2fadmin",
        "https://app.example/account//evil.example",
        "https://app.example/account/%5c..%5cadmin",
        "https://app.example/account/%252e%252e/admin",
        "https://app.example.evil.example/done",
        "https://evil.example/https://app.example/done",
        "https://app.example@evil.example/done",
        "https://user:pw@app.example/done",
        "https://evil.example\\@app.example/done",
        "https://app.example\\.evil.example/done",
        "https://app.example:444/done",
        "https://app.example:0/done",
        "https://app.example/account/..;/admin",
        "https://app.example:/done",
        "https://app.example:99999/done",
        "https://app.example./done",
        "https://app.example/done#fragment",
        "https://app.example/done#",
        "https://app.example/done\r\nX: y",
        "https://app.example/done\t",
        " https://app.example/done",
        "https://app.ex\u00e4mple/done",
        "https://\uff41pp.example/done",
        "https://app%2eexample/done",
        "https://app.example/done?ticket=planted",
        "https://app.example/done?a=1&outcome=granted",
        "https://app.example/done?provider=x",
        "https://app.example/done?%65rror=x",
        "https://app.example/done?ticket%00x=planted",
        "https://app.example/done?a=%00",
        "http://127.0.0.1:3001/cb",
        "http://localhost:3000/cb",
        "https://app.example/done?" + "a" * 3000,
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    assert ALLOWED.flaw(url)


@given(st.text(max_size=80))
def test_no_text_is_more_than_refused(url: str) -> None:
    assert ALLOWED.flaw(url) is None or isinstance(ALLOWED.flaw(url), str)


def test_an_empty_list_allows_nothing() -> None:
    assert AllowList.parse("").flaw("https://app.example/done")


@pytest.mark.parametrize("entry", ["app.example", "http://app.example/", "https://a/*/b", "https://a/b?c=d", "https://a/#f", "*"])
def test_a_wrong_entry_of_the_list_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=entry.replace("*", r"\*").replace("?", r"\?")):
        AllowList.parse(f"https://fine.example/,{entry}")


def test_the_outcome_is_added_to_the_query_which_is_kept() -> None:
    assert (
        with_outcome("https://a/b?c=%20d", {"outcome": "granted", "provider": "x"})
        == "https://a/b?c=%20d&outcome=granted&provider=x"
    )
    assert (
        with_outcome("https://a/b", {"outcome": "failed", "error": "interrupted"})
        == "https://a/b?outcome=failed&error=interrupted"
    )
