import re

import pytest

from tripod_flow.rules import binding


def name(number: int) -> str:
    return f"__Host-tripod-{number:016x}"


def test_a_cookie_is_host_bound_secure_hidden_from_script_and_lax() -> None:
    (line,) = binding.set_cookies(binding.cookie_name("x", "token"), "1.key", {})
    name, _, attributes = line.partition("=1.key; ")
    assert name.startswith("__Host-tripod-")
    assert set(attributes.split("; ")) == {"Max-Age=3600", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"}


def test_only_the_key_that_was_given_matches() -> None:
    key = binding.new_cookie_value("t", 1000.0)
    assert binding.matches(key, binding.digest(key))
    assert not binding.matches(binding.new_cookie_value("t", 1000.0), binding.digest(key))
    assert not binding.matches(None, binding.digest(key))
    assert not binding.matches("", binding.digest(key))


def test_each_authorization_has_a_cookie_of_its_own() -> None:
    names = {binding.cookie_name(*pair) for pair in (("x", "a"), ("x", "b"), ("y", "a"))}
    assert len(names) == 3
    assert "token" not in binding.cookie_name("x", "token")


def test_all_but_the_newest_eight_are_expired_and_other_cookies_left_alone() -> None:
    present = {name(number): f"{number}.key" for number in range(1, 11)}
    present |= {"session": "1", "__Host-tripod-other": "2.key", name(11): "x" * 40}
    new, *expired = binding.set_cookies(name(99), "99.key", present)
    assert new.startswith(f"{name(99)}=99.key;")
    assert {line.partition("=")[0] for line in expired} == {name(11), name(1), name(2), name(3)}
    assert all("Max-Age=0" in line and "=;" in line for line in expired)


def test_junk_goes_first_however_new_it_says_it_is_and_a_few_at_a_time() -> None:
    present = {name(number): "999999999999.x" for number in range(450)} | {name(1000): "98.key"}
    _, *expired = binding.set_cookies(name(2000), "99.key", present)
    assert len(expired) == 8
    assert not any(line.startswith(name(1000)) for line in expired)


def test_a_key_says_its_second_and_has_256_random_bits() -> None:
    assert binding.new_cookie_value("a?>", 1000.9, token=str) == "1000.32.YT8-"
    assert binding.new_cookie_value("a", 1000.9, token=str) == "1000.32.YQ"
    assert binding.new_cookie_value("abW", 1000.9, token=str) == "1000.32.YWJX"
    assert re.fullmatch(r"1000\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]+", binding.new_cookie_value("\u00e9t", 1000.9))


def test_a_cookies_name_is_ours_to_expire() -> None:
    assert re.fullmatch("__Host-tripod-[0-9a-f]{16}", binding.cookie_name("x", "token"))


@pytest.mark.parametrize(
    ("value", "is_junk"),
    [
        ("50.key", False),
        ("50.key.x", False),
        ("99.key", False),  # the second of the new one
        ("0.key", True),
        ("1.key", False),
        ("100.key", True),
        ("000000000050.key", False),
        ("0000000000050.key", True),
        ("99999999999999999999999.key", True),
        ("\u0665\u0660.key", True),
        ("\u00b2.key", True),
        ("-5.key", True),
        ("key", True),
        ("", True),
    ],
)
def test_a_cookie_that_says_no_past_second_is_the_first_to_go(value: str, is_junk: bool) -> None:
    present = {name(1): value, **{name(number): "1.key" for number in range(2, 9)}}
    _, expired = binding.set_cookies(name(99), "99.key", present)
    assert expired.startswith(f"{name(1)}=;") is is_junk


def cookie(provider: str, token: str) -> dict[str, str]:
    return {binding.cookie_name(provider, token): binding.new_cookie_value(token, 1000.0)}


def test_a_browser_brings_the_request_tokens_that_it_has_begun_with_at_this_provider() -> None:
    tokens = ["a", "b?>", "\u00e9\u20ac", "c" * 512]
    cookies = {"session": "1.k.YQ"}
    for token in tokens:
        cookies |= cookie("x", token) | cookie("y", token + "y")
    assert binding.request_tokens("x", cookies) == tokens
    assert binding.request_tokens("z", cookies) == []


@pytest.mark.parametrize("value", ["", "1.k", "1.k.", "1.k.!", "1.k.Y!!!!Q", "1.k._w", "1.k.Yg", "YQ.k", "1.k.\u00e9"])
def test_a_cookie_that_names_another_request_token_or_none_names_none(value: str) -> None:
    assert binding.request_tokens("x", {binding.cookie_name("x", "a"): value}) == []
    assert binding.request_tokens("x", {binding.cookie_name("x", "XXXX"): value}) == []


def test_no_more_request_tokens_are_looked_for_than_there_may_be_cookies() -> None:
    cookies = {name: value for number in range(20) for name, value in cookie("x", str(number)).items()}
    assert len(binding.request_tokens("x", cookies)) == 8


def test_whether_a_browser_has_brought_any_cookie_of_ours() -> None:
    assert binding.has_cookie({"a": "1", binding.cookie_name("x", "t"): "2"})
    assert not binding.has_cookie({"a": "1", f"{binding.COOKIE_PREFIX}other": "2"})
    assert not binding.has_cookie({})
