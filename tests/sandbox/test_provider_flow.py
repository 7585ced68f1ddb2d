"""The provider's three legs and what the token then opens, as an app and its user see them."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.provider import ProviderServer
from tests.support.app_client import CALLBACK, AppClient, Token, fields_of, query_of


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"])
def test_three_legs_end_in_a_token_that_signs_calls(provider: ProviderServer, method: str) -> None:
    app = AppClient(provider, signature_method=method)

    first = app.ask_request_token()
    assert first.headers["Content-Type"].startswith("text/html")
    assert fields_of(first)["oauth_callback_confirmed"] == "true"

    access = app.connect(provider.users[1])
    user = app.verify(access)
    assert user.json()["screen_name"] == "grace"
    assert user.json()["id_str"] == "783214"
    assert user.headers["x-access-level"] == "read-write"
    assert {call.signature_method for call in provider.calls(app.consumer.key, "verify_credentials")} == {method}


def test_token_answer_names_the_user_and_the_token_begins_with_the_id(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token()
    answer = app.exchange(token, app.consent(token, provider.users[2]))
    assert answer.headers["Content-Type"].startswith("text/html")
    fields = fields_of(answer)
    assert (fields["user_id"], fields["screen_name"]) == ("1462894532875063296", "katherine")
    assert fields["oauth_token"].startswith("1462894532875063296-")


def test_localhost_and_127_0_0_1_both_answer(provider: ProviderServer) -> None:
    port = provider.url.rpartition(":")[2]
    for host in ("localhost", "127.0.0.1"):
        assert requests.get(f"http://{host}:{port}/nothing", timeout=5).json()["errors"][0]["code"] == 34


def test_verifier_may_come_in_the_form_body(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token()
    answer = app.call("POST", "/oauth/access_token", token, data={"oauth_verifier": app.consent(token)})
    assert answer.status_code == 200


def test_verifier_in_header_and_body_is_refused(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token()
    verifier = app.consent(token)
    both = app.call("POST", "/oauth/access_token", token, data={"oauth_verifier": verifier}, verifier=verifier)
    assert both.status_code == 400
    assert app.exchange(token, verifier).status_code == 200


def test_callback_may_come_in_the_form_body(provider: ProviderServer) -> None:
    app = AppClient(provider)
    assert app.call("POST", "/oauth/request_token", data={"oauth_callback": CALLBACK}).status_code == 200


def test_whole_call_may_be_signed_in_the_form_body_or_the_query(provider: ProviderServer) -> None:
    for place in ("BODY", "QUERY"):
        app = AppClient(provider, signature_type=place)
        answer = app.call("POST", "/oauth/request_token", data={"a": "b c+d"}, callback_uri=CALLBACK)
        assert answer.status_code == 200, answer.text
        assert [call.status for call in provider.calls(app.consumer.key)] == [200]


def test_granting_again_gives_the_same_token_until_it_is_revoked(provider: ProviderServer) -> None:
    app = AppClient(provider)
    user = provider.users[0]
    first = app.connect(user)
    assert app.connect(user) == first
    assert app.connect(provider.users[1]) != first

    provider.revoke(app.consumer.key, user)
    assert app.connect(user) != first


def test_an_app_whose_tokens_are_renewed_gets_another_which_ends_the_one_before(provider: ProviderServer) -> None:
    app = AppClient(provider, provider.register(renews=True))
    first = app.connect()
    second = app.connect()
    assert second != first
    assert app.verify(first).status_code == 401
    assert app.verify(second).status_code == 200


def test_revoked_token_answers_89(provider: ProviderServer) -> None:
    app = AppClient(provider)
    access = app.connect()
    provider.revoke(app.consumer.key, provider.users[0])
    refused = app.verify(access)
    assert refused.status_code == 401
    assert refused.json()["errors"][0]["code"] == 89
    with pytest.raises(LookupError):
        provider.revoke(app.consumer.key, provider.users[0])


@pytest.mark.parametrize("path", ["/1.1/oauth/invalidate_token", "/1.1/oauth/invalidate_token.json"])
def test_invalidated_token_answers_89(provider: ProviderServer, path: str) -> None:
    app = AppClient(provider)
    access = app.connect()
    ended = app.call("POST", path, access)
    assert (ended.status_code, ended.json()) == (200, {"access_token": access.key})
    assert app.verify(access).json()["errors"][0]["code"] == 89
    assert app.call("POST", path, access).status_code == 401


def test_rotated_app_works_with_its_new_key_only_and_keeps_its_users(provider: ProviderServer) -> None:
    app = AppClient(provider)
    access = app.connect()
    renewed = AppClient(provider, provider.rotate(app.consumer.key))
    assert app.verify(access).json()["errors"][0]["code"] == 32
    assert renewed.verify(access).status_code == 200
    assert provider.calls(app.consumer.key) == provider.calls(renewed.consumer.key)


def test_v2_user_and_nested_identity_name_the_same_user(provider: ProviderServer) -> None:
    app = AppClient(provider)
    access = app.connect()
    assert app.call("GET", "/2/users/me", access).json()["data"]["username"] == "ada"
    identity = app.call("GET", "/identity", access).json()
    assert identity == {"response": {"user": {"id": 2244994945, "name": "ada"}}}


def test_posts_are_remembered_from_form_and_json(provider: ProviderServer) -> None:
    app = AppClient(provider)
    access = app.connect()
    text = "Hello Ladies + Gentlemen, a signed OAuth request!"
    form = app.call("POST", "/1.1/statuses/update.json", access, data={"status": text}, params={"include_entities": "true"})
    json = app.call("POST", "/2/tweets", access, json={"text": "héllo 🐘"})
    assert (form.status_code, json.status_code) == (200, 201)
    assert [post.text for post in provider.posts(app.consumer.key)] == [text, "héllo 🐘"]


def test_read_only_token_reads_and_does_not_post(provider: ProviderServer) -> None:
    app = AppClient(provider)
    access = app.connect(x_auth_access_type="read")
    assert app.verify(access).headers["x-access-level"] == "read"
    assert app.call("POST", "/1.1/statuses/update.json", access, data={"status": "no"}).status_code == 401
    refused = app.call("POST", "/2/tweets", access, json={"text": "no"})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "oauth1-permissions")
    assert not provider.posts(app.consumer.key)


def test_v2_never_says_which_credential_it_refuses(provider: ProviderServer) -> None:
    app = AppClient(provider)
    access = app.connect()
    provider.revoke(app.consumer.key, provider.users[0])
    for path in ("/2/users/me", "/1.1/account/verify_credentials.json"):
        refused = app.call("GET", path, access)
        assert refused.status_code == 401
        assert ("errors" in refused.json()) is path.startswith("/1.1")
    assert app.call("GET", "/2/users/me", access).json() == {
        "title": "Unauthorized",
        "type": "about:blank",
        "status": 401,
        "detail": "Unauthorized",
    }


def test_v2_refuses_a_call_without_a_user_or_a_text_in_its_own_words(provider: ProviderServer) -> None:
    app = AppClient(provider)
    url = f"{provider.url}/2/users/me"
    unsigned = requests.get(url, timeout=5)
    assert (unsigned.status_code, unsigned.json()["type"]) == (401, "about:blank")
    basic, asked = (app.consumer.key, app.consumer.secret), {"grant_type": "client_credentials"}
    bearer = requests.post(f"{provider.url}/oauth2/token", asked, auth=basic, timeout=5).json()["access_token"]
    as_app = requests.get(url, headers={"Authorization": f"Bearer {bearer}"}, timeout=5)
    assert (as_app.status_code, as_app.json()["title"]) == (403, "Unsupported Authentication")
    without = app.call("POST", "/2/tweets", app.connect(), json=["no", "object"])
    assert (without.status_code, without.json()["title"]) == (400, "Invalid Request")


def test_a_provider_that_is_down_answers_503_until_it_is_up_again() -> None:
    with ProviderServer() as provider:
        app = AppClient(provider)
        token = app.request_token()
        provider.down = True
        assert app.ask_request_token().json()["errors"][0]["code"] == 130
        page = requests.get(app.page(token), timeout=5)
        assert (page.status_code, page.headers["content-type"]) == (503, "text/html;charset=utf-8")
        provider.down = False
        assert app.exchange(token, app.consent(token)).status_code == 200


def test_a_provider_that_refuses_apps_says_so_as_to_an_unknown_key() -> None:
    with ProviderServer() as provider:
        app = AppClient(provider)
        access = app.connect()
        provider.refuses_apps = True
        assert [call.json()["errors"][0]["code"] for call in (app.ask_request_token(), app.verify(access))] == [32, 32]
        assert app.call("GET", "/2/users/me", access).json()["type"] == "about:blank"
        provider.refuses_apps = False
        assert app.verify(access).status_code == 200


def test_bearer_token_opens_app_only_calls_until_invalidated(provider: ProviderServer) -> None:
    app = AppClient(provider)
    credentials = (app.consumer.key, app.consumer.secret)

    def ask(secret: str) -> requests.Response:
        url = f"{provider.url}/oauth2/token"
        return requests.post(url, {"grant_type": "client_credentials"}, auth=(app.consumer.key, secret), timeout=5)

    def limits(bearer: str) -> int:
        url = f"{provider.url}/1.1/application/rate_limit_status.json"
        return requests.get(url, headers={"Authorization": f"Bearer {bearer}"}, timeout=5).status_code

    answer = ask(credentials[1])
    bearer = answer.json()["access_token"]
    assert answer.json()["token_type"] == "bearer"
    assert ask(credentials[1]).json()["access_token"] == bearer
    assert limits(bearer) == 200
    assert limits("A" * 40) == 401
    refused = ask("wrong")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, 99)

    ended = app.call("POST", "/oauth2/invalidate_token", app.connect(), params={"access_token": bearer})
    assert (ended.status_code, limits(bearer)) == (200, 401)
    assert len(provider.calls(app.consumer.key, "bearer_token")) == 3


def test_app_may_get_other_field_names_or_none(provider: ProviderServer) -> None:
    flickr = provider.register(user_id_field="user_nsid", screen_name_field="username", callback_confirmed="TRUE")
    app = AppClient(provider, flickr)
    assert fields_of(app.ask_request_token())["oauth_callback_confirmed"] == "TRUE"
    token = app.request_token()
    fields = fields_of(app.exchange(token, app.consent(token)))
    assert (fields["user_nsid"], fields["username"]) == ("2244994945", "ada")
    assert provider.endpoints(flickr.key)["user_id_field"] == "user_nsid"

    tumblr = provider.register(user_id_field=None, screen_name_field=None, callback_confirmed=None)
    app = AppClient(provider, tumblr)
    assert "oauth_callback_confirmed" not in fields_of(app.ask_request_token())
    token = app.request_token()
    assert set(fields_of(app.exchange(token, app.consent(token)))) == {"oauth_token", "oauth_token_secret"}
    assert provider.endpoints(tumblr.key)["identity_url"] == f"{provider.url}/identity"


def test_endpoints_of_x_carry_no_field_names(provider: ProviderServer) -> None:
    plain = provider.endpoints()
    assert plain == provider.endpoints(provider.register().key)
    assert plain["authenticate_url"] == f"{provider.url}/oauth/authenticate"
    assert set(plain) == {
        "request_token_url",
        "authorize_url",
        "authenticate_url",
        "access_token_url",
        "invalidate_url",
        "bearer_token_url",
        "invalidate_bearer_token_url",
    }


def test_issued_lists_every_secret_that_was_given_out(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token("oob")
    pin = app.consent(token)
    fields = fields_of(app.exchange(token, pin))
    issued = provider.issued(app.consumer.key)
    given = [app.consumer.secret, token.secret, pin, fields["oauth_token"], fields["oauth_token_secret"]]
    assert issued == given
    assert set(issued) <= set(provider.issued())


def test_calls_are_counted_per_app_with_status_and_user_agent(provider: ProviderServer) -> None:
    app, other = AppClient(provider), AppClient(provider)
    app.verify(app.connect())
    app.verify(Token("nobody", "nothing"))
    legs = [(call.leg, call.status) for call in provider.calls(app.consumer.key)]
    assert legs == [
        ("request_token", 200),
        ("authorize", 200),
        ("authorize", 200),
        ("authorize", 302),
        ("access_token", 200),
        ("verify_credentials", 200),
        ("verify_credentials", 401),
    ]
    assert provider.calls(app.consumer.key)[0].user_agent.startswith("python-requests/")
    assert provider.calls(other.consumer.key) == []


def test_one_request_token_is_exchanged_once_among_50_at_once(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token()
    verifier = app.consent(token)
    together = threading.Barrier(50)

    def exchange(_: int) -> tuple[int, str]:
        together.wait()
        answer = app.exchange(token, verifier)
        return answer.status_code, "" if answer.ok else answer.text

    with ThreadPoolExecutor(50) as pool:
        outcomes = Counter(pool.map(exchange, range(50)))
    assert outcomes == {(200, ""): 1, (401, "Reverse auth credentials are invalid"): 49}
    assert Counter(call.status for call in provider.calls(app.consumer.key, "access_token")) == {200: 1, 401: 49}


def test_callback_keeps_its_own_query(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token(CALLBACK + "?keep=a%26b&empty=")
    with_user = app.provider.users[0]
    verifier = app.consent(token, with_user)
    assert app.exchange(token, verifier).status_code == 200
    assert query_of(CALLBACK + "?keep=a%26b&empty=") == {"keep": "a&b", "empty": ""}


def test_its_answers_say_its_own_time() -> None:
    with ProviderServer(clock=lambda: 1_790_000_000.0) as provider:
        assert requests.head(provider.url, timeout=5).headers["Date"] == "Mon, 21 Sep 2026 14:13:20 GMT"
