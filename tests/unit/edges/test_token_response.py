"""What a provider's token answer may look like: strict about the token and its secret, generous about the rest."""

import json

import pytest

from tripod_flow.edges.token_response import NoToken, read_access_token, read_request_token

FORM = b"oauth_token=t&oauth_token_secret=s&user_id=1"


@pytest.mark.parametrize(
    "body",
    [
        FORM,
        b"&" + FORM,
        FORM + b"&",
        FORM.replace(b"&", b"&&"),
        b"\xef\xbb\xbf" + FORM,
        b"\r\n " + FORM + b"\r\n",
        b"?" + FORM,
        b" \xef\xbb\xbf" + FORM,
        b"\xef\xbb\xbf\xef\xbb\xbf" + FORM,
        b'"' + FORM + b'"',
        FORM.replace(b"&", b"&amp;"),
        FORM.replace(b"&", b"& "),
        FORM.replace(b"secret=s", b"secret=s%0A"),
        FORM.replace(b"token=t", b"token=+t"),
        FORM + b"&fullname=Ren%E9",
        FORM + b"&fullname=Ren\xe9",
        FORM + b"&valueless",
        FORM + b"&valueless=",
        FORM + b"&=nameless",
        FORM + b"&a=1&a=2",
        FORM + b"&user_id=1",
        FORM + b"&oauth_expires_in=0&oauth_session_handle=h",
        FORM + b"".join(b"&a%d=1" % number for number in range(150)),
        json.dumps({"oauth_token": "t", "oauth_token_secret": "s", "user_id": 1}).encode(),
        b"\xef\xbb\xbf " + json.dumps({"more": {"oauth_token": "u"}, "oauth_token": "t", "oauth_token_secret": "s", "user_id": "1"}).encode(),
    ],
)  # fmt: skip
def test_what_is_not_at_stake_loses_no_token(body: bytes) -> None:
    for read in (read_request_token, read_access_token):
        found = read(body)
        assert (found.token, found.secret, set(found.fields["user_id"])) == ("t", "s", {"1"})


def test_a_field_is_decoded_as_a_form_has_it() -> None:
    found = read_access_token(b"oauth_token=a%2Bb&oauth_token_secret=c+d&fullname=Ren%C3%A9&fullname=R")
    assert (found.token, found.secret, found.first("fullname"), found.first("other")) == ("a+b", "c d", "Ren\xe9", "")


def test_an_access_tokens_secret_may_be_empty_and_a_request_tokens_not() -> None:
    assert read_access_token(b"oauth_token=t&oauth_token_secret=").secret == ""
    with pytest.raises(NoToken, match="oauth_token_secret is empty"):
        read_request_token(b"oauth_token=t&oauth_token_secret=")


def test_an_access_token_may_be_longer_than_a_request_token() -> None:
    assert len(read_request_token(b"oauth_token=%s&oauth_token_secret=s" % (b"t" * 512)).token) == 512
    assert len(read_access_token(b"oauth_token=t&oauth_token_secret=%s" % (b"s" * 2048)).secret) == 2048
    for read, longest in ((read_request_token, 512), (read_access_token, 2048)):
        for body in (b"oauth_token=%s&oauth_token_secret=s", b"oauth_token=t&oauth_token_secret=%s"):
            with pytest.raises(NoToken, match=f"longer than {longest} bytes"):
                read(body % (b"x" * (longest + 1)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>Welcome</title>",
        b"oauth_token=t",
        b"oauth_token_secret=s",
        b"oauth_token=&oauth_token_secret=s",
        b"oauth_token=t&oauth_token=u&oauth_token_secret=s",
        b"oauth_token=t&oauth_token=t&oauth_token_secret=s",
        b"oauth_token=t&oauth_token_secret=s&oauth_token_secret=u",
        b"oauth_token=a%0Ab&oauth_token_secret=s",
        b"oauth_token=a%00b&oauth_token_secret=s",
        b"oauth_token=t&oauth_token_secret=a%0Ab",
        b"oauth_token=Ren%E9&oauth_token_secret=s",
        b"oauth_token=t&oauth_token_secret=Ren\xe9",
        FORM + b"".join(b"&a%d=1" % number for number in range(200)),
        b'{"oauth_token":"t","oauth_token":"u","oauth_token_secret":"s"}',
        b'{"oauth_token":null,"oauth_token_secret":"s"}',
        b'{"oauth_token":true,"oauth_token_secret":"s"}',
        b'{"oauth_token":"t","oauth_token_secret":{"a":"s"}}',
        b'{"oauth_token":"t"',
        b"[" * 5000,
        b"{" * 5000,
        b'{"a":' * 5000,
    ],
)
def test_a_token_that_is_not_there_exactly_once_is_none(body: bytes) -> None:
    for read in (read_request_token, read_access_token):
        with pytest.raises(NoToken):
            read(body)


def test_what_is_wrong_is_said_without_a_quotation() -> None:
    with pytest.raises(NoToken) as caught:
        read_access_token(b"oauth_token=confidential&oauth_token=other&oauth_token_secret=s")
    assert str(caught.value) == "it has oauth_token 2 times, and oauth_token_secret 1 times"
