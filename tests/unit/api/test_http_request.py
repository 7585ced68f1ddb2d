from collections.abc import Callable
from typing import Any

import pytest

from tests.support.http_event import event
from tripod_flow.api import http_request
from tripod_flow.flows.start import StartRequest
from tripod_flow.rules.errors import BadRequest


def read(query: str = "", **changes: Any) -> http_request.HttpRequest:
    return http_request.read(event(query, **changes), loopback=False)


def test_the_callback_url_comes_from_api_gateway_and_never_from_the_callers_host() -> None:
    request = read(headers={"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"})
    assert request.callback_url == "https://abc.execute-api.eu-west-1.amazonaws.com/oauth/x/callback"
    assert read(context={"stage": "prod"}).callback_url.endswith("amazonaws.com/prod/oauth/x/callback")
    assert read(context={"domainName": "login.example"}).origin == "https://login.example"


def test_a_providers_name_with_half_a_character_can_be_put_into_an_address() -> None:
    request = read(pathParameters={"provider": "x\ud800"})
    assert request.provider == "x?"
    assert request.pin_page("t").endswith("/oauth/x%3F/pin?request_token=t")


def test_plain_http_is_only_the_sandboxs() -> None:
    local = event(context={"domainName": "127.0.0.1:8765"})
    assert http_request.read(local, loopback=True).origin == "http://127.0.0.1:8765"
    assert http_request.read(local, loopback=False).origin == "https://127.0.0.1:8765"


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", True),
        ("TEXT/HTML", True),
        ("text/html;q=0.9, application/json;q=0.8", True),
        ("text/html;level=1;q=0.5,application/json;q=0.4", True),
        ("application/json", False),
        ("text/html;q=0.8, application/json", False),
        ("text/html, application/json", False),
        ("text/html;q=0", False),
        ("text/html;q=oops", False),
        ("*/*", False),
        ("", False),
        (";;;,,,q=1", False),
    ],
)
def test_who_prefers_a_page(accept: str, page: bool) -> None:
    assert read(headers={"accept": accept}).prefers_page is page


def test_start_reads_its_options() -> None:
    asked = StartRequest("x", endpoint="authenticate", force_login=True, screen_name="a b", x_auth_access_type="read")
    query = "endpoint=authenticate&utm_source=a&force_login=true&screen_name=a%20b&x_auth_access_type=read&<b>=c&utm_source=b"
    assert http_request.start_request(read(query)) == (asked, ["utm_source"])
    assert http_request.start_request(read()) == (StartRequest("x"), [])


def test_start_can_be_asked_for_the_same_again() -> None:
    for query in ("", "endpoint=authenticate&force_login=true&screen_name=a+b", "return_to=https%3A%2F%2Fa.example%2F%3Fb"):
        asked, _ = http_request.start_request(read(query))
        assert http_request.start_request(read(asked.query())) == (asked, [])


def test_callback_reads_a_verifier_or_a_refusal() -> None:
    returned = http_request.provider_return(read("oauth_token=t&oauth_verifier=v&more=1"))
    assert returned == http_request.ProviderReturn("t", "v", others={"more": "1"})
    for verifier in ("oauth_problem=&error=", "oauth_problem=a+b%0a", "rejected="):  # names of the provider's own
        read_as = http_request.provider_return(read(f"oauth_token=t&oauth_verifier=v&{verifier}"))
        assert (read_as.request_token, read_as.verifier) == ("t", "v")


REFUSALS = [
    "denied=t",
    "denied=t&oauth_token=t",
    "oauth_token=t&oauth_verifier=+",
    "oauth_token=t&oauth_verifier=denied",
    "oauth_token=t&error=access_denied",
    "oauth_token=t&error=access_denied&error_description=The+user%0asaid+no&state=%ff",
    "oauth_token=t&error=a&error=b",
    "oauth_token=t&rejected=1",
    "oauth_token=t&rejected=true&oauth_verifier=",
    "oauth_token=t&oauth_problem=user_refused",
    "oauth_token=t&oauth_problem=permission_denied&oauth_verifier=denied",
    "oauth_token=t&oauth_problem=token_expired",
]


@pytest.mark.parametrize("query", REFUSALS)
def test_a_no_is_one_in_whatever_words(query: str) -> None:
    returned = http_request.provider_return(read(query))
    assert (returned.request_token, returned.verifier, returned.is_refusal) == ("t", None, True)


def test_no_verifier_and_no_word_is_the_providers_to_explain() -> None:
    assert http_request.provider_return(read("oauth_token=t&a=b")) == http_request.ProviderReturn("t", None, others={"a": "b"})


@pytest.mark.parametrize(
    ("query", "verifier"), [("", None), ("denied=", None), ("error=access_denied", None), ("oauth_token=&oauth_verifier=v", "v")]
)
def test_a_provider_may_name_no_request_token(query: str, verifier: str | None) -> None:
    returned = http_request.provider_return(read(query))
    assert (returned.request_token, returned.verifier) == (None, verifier)


def test_what_came_back_stays_out_of_repr() -> None:
    assert "s3cret" not in repr(http_request.ProviderReturn("s3cret-token", "s3cret-verifier", others={"a": "s3cret"}))
    assert "s3cret" not in repr(read("oauth_verifier=s3cret", cookies=["a=s3cret"]))


@pytest.mark.parametrize(
    "query", ["oauth_s3cret=1", "endpoint=s3cret", "force_login=s3cret", "challenge=s3cret", "screen_name=s3cret%00"]
)
def test_a_complaint_about_start_never_quotes_what_was_sent(query: str) -> None:
    assert "s3cret" not in complaint(http_request.start_request, query)


@pytest.mark.parametrize(
    "query",
    [
        "rejected=1&oauth_token=s3cret&oauth_verifier=s3cret",
        "oauth_token=s3cret%00&oauth_verifier=s3cret",
        "denied=s3cret&denied=s3cret",
    ],
)
def test_a_complaint_about_a_callback_never_quotes_what_was_sent(query: str) -> None:
    assert "s3cret" not in complaint(http_request.provider_return, query)


def complaint(reader: Callable[[http_request.HttpRequest], Any], query: str) -> str:
    with pytest.raises(BadRequest) as caught:
        reader(read(query))
    return f"{caught.value} {caught.value.detail}"


def test_cookies_are_read_one_by_one() -> None:
    request = read(cookies=["a=1", "=junk", "__Host-tripod-x=2.k", "no-value", 'q="v"'])
    assert request.cookies["a"] == "1"
    assert request.cookies["__Host-tripod-x"] == "2.k"


def test_an_event_with_nothing_in_it_is_still_read() -> None:
    bare = {"requestContext": {"requestId": "r", "domainName": "d", "stage": "$default"}, "headers": {}}
    assert http_request.read(bare, loopback=False).provider == ""


def test_no_more_fields_are_read_than_any_caller_has() -> None:
    for query in ("&".join(f"a{number}=1" for number in range(101)), "oauth_token=t&oauth_verifier=v" + "&b=1" * 100):
        with pytest.raises(BadRequest, match="more than 100"):
            http_request.provider_return(read(query))
