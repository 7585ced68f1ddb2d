import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.provider import failures
from tripod import provider_errors
from tripod.provider_errors import Cause
from tripod_flow.api import text

NOT_APPROVED = (
    "Callback URL not approved for this client application. Approved callback URLs can be adjusted in your application settings"
)


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (403, json.dumps({"errors": [{"code": 415, "message": NOT_APPROVED}]}), Cause.CALLBACK_NOT_APPROVED),
        (403, f"<?xml version='1.0' encoding='UTF-8'?><errors><error code=\"415\">{NOT_APPROVED}</error></errors>", Cause.CALLBACK_NOT_APPROVED),
        (403, f"<hash><error>{NOT_APPROVED}</error><request>/oauth/request_token</request></hash>", Cause.CALLBACK_NOT_APPROVED),
        (403, NOT_APPROVED, Cause.CALLBACK_NOT_APPROVED),
        (401, '<errors><error code="417">Desktop applications only support the oauth_callback value \'oob\'</error></errors>', Cause.NO_CALLBACK_CONFIGURED),
        (401, '{"errors":[{"code":32,"message":"Could not authenticate you."}]}', Cause.BAD_CREDENTIALS),
        (401, '{"errors":[{"message":"Timestamp out of bounds","code":135}]}', Cause.CLOCK_OFF),
        (401, '{"errors":[{"code":416,"message":"Application suspended"}]}', Cause.APP_SUSPENDED),
        (401, '{"errors":[{"code":89,"message":"Invalid or expired token."}]}', Cause.TOKEN_REVOKED),
        (403, '{"errors":[{"code":453,"message":"…"}]}', Cause.ACCESS_LEVEL),
        (503, '{"errors":[{"message":"Over capacity","code":130}]}', Cause.OVER_CAPACITY),
        (429, '{"errors":[{"code":88,"message":"Rate limit exceeded"}]}', Cause.RATE_LIMITED),
        (429, "", Cause.RATE_LIMITED),
        (402, failures.NO_CREDITS.body, Cause.NO_CREDITS),
        (402, "", Cause.NO_CREDITS),
        (403, failures.V2_PERMISSIONS.body, Cause.PERMISSIONS),
        (403, failures.V2_CLIENT_FORBIDDEN.body, Cause.CLIENT_FORBIDDEN),
        (403, failures.USER_SUSPENDED.body, Cause.USER_SUSPENDED),
        (403, '{"errors":[{"code":63,"message":"User has been suspended."}]}', Cause.USER_SUSPENDED),
        (403, failures.USER_LOCKED.body, Cause.USER_LOCKED),
        (401, failures.READ_ONLY.body, Cause.ACCESS_LEVEL),
        (401, failures.V2_UNAUTHORIZED.body, Cause.UNKNOWN),
        (401, "Reverse auth credentials are invalid", Cause.REQUEST_TOKEN_REJECTED),
        (401, "Error processing your OAuth request: Invalid oauth_verifier parameter", Cause.VERIFIER_REJECTED),
        (401, "<hash><error>Invalid / expired Token</error><request>/oauth/access_token</request></hash>", Cause.REQUEST_TOKEN_REJECTED),
        (401, "oauth_problem=signature_invalid&debug_sbs=POST", Cause.BAD_CREDENTIALS),
        (401, "oauth_problem=timestamp_refused", Cause.CLOCK_OFF),
        (401, "oauth_problem=verifier_invalid", Cause.VERIFIER_REJECTED),
        (200, "Error: An error occurred in the OAuth protocol: Invalid signature", Cause.BAD_CREDENTIALS),
        (200, "Error: An error occurred in the OAuth protocol: Invalid consumer", Cause.BAD_CREDENTIALS),
        (200, "Error: An error occurred in the OAuth protocol: Expired timestamp, yours 1, ours 2", Cause.CLOCK_OFF),
        (200, "Error: The verification code provided was not valid.", Cause.VERIFIER_REJECTED),
        (200, "Error: The authorization was not found: OAuth token not found, E004", Cause.REQUEST_TOKEN_REJECTED),
        (200, "Error: The token was already used", Cause.REQUEST_TOKEN_REJECTED),
        (400, "something new", Cause.UNKNOWN),
        (400, '{"errors": []}', Cause.UNKNOWN),
        (400, '{"errors": [5]}', Cause.UNKNOWN),
        (400, '{"errors": [{"code": "415"}]}', Cause.CALLBACK_NOT_APPROVED),
        (400, '{"errors": [{"code": "4x15"}]}', Cause.UNKNOWN),
        (403, '{"errors": [{"message": "x"}], "type": "https://api.twitter.com/2/problems/client-forbidden"}', Cause.CLIENT_FORBIDDEN),
        (400, '{"error": "mwoauth-invalid-authorization", "message": "The authorization headers in your request are not valid: Invalid signature"}', Cause.BAD_CREDENTIALS),
        (200, "Error: No request was found for that token.", Cause.REQUEST_TOKEN_REJECTED),
        (200, "Error: No token was found matching your request.", Cause.REQUEST_TOKEN_REJECTED),
        (400, "<errors", Cause.UNKNOWN),
        (400, '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><errors><error code="415">&b;</error></errors>', Cause.UNKNOWN),
    ],
)  # fmt: skip
def test_a_refusal_is_read_in_whatever_form_it_comes(status: int, body: str, cause: Cause) -> None:
    assert provider_errors.read(status, body.encode()).cause is cause


@given(st.integers(100, 599), st.binary(max_size=300))
def test_no_body_is_more_than_unknown(status: int, body: bytes) -> None:
    assert provider_errors.read(status, body).status == status


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ('{"errors":[{"code":89,"message":"Invalid or expired token."}]}', Cause.TOKEN_REVOKED),
        ("oauth_problem=token_revoked", Cause.TOKEN_REVOKED),
        ("oauth_problem=token_rejected", Cause.TOKEN_REVOKED),
        ("oauth_problem=token_expired&oauth_problem_advice=sign+in", Cause.TOKEN_REVOKED),
        ("oauth_problem=nonce_used", Cause.UNKNOWN),
        ("oauth_problem=consumer_key_rejected", Cause.BAD_CREDENTIALS),
        ("Reverse auth credentials are invalid", Cause.UNKNOWN),
        ("Error processing your OAuth request: Invalid oauth_verifier parameter", Cause.UNKNOWN),
        ('{"error":"Invalid / expired Token"}', Cause.UNKNOWN),
        ("invalid token", Cause.UNKNOWN),
        ("", Cause.UNKNOWN),
        ('{"title":"Unauthorized","status":401}', Cause.UNKNOWN),
    ],
)
def test_a_call_with_an_access_token_has_no_other_token_to_be_rejected(body: str, cause: Cause) -> None:
    assert provider_errors.read_api_error(401, body.encode()).cause is cause


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"errors":[{"code":179,"message":"secret"}]}', "403 unknown (179)"),
        ('{"errors":[{"code":1234567,"message":"a PIN"}]}', "403 unknown"),
        ('{"errors":[{"code":-5}]}', "403 unknown"),
        ("oauth_problem=additional_authorization_required", "403 unknown (additional_authorization_required)"),
        ("oauth_problem=token_rejected", "403 request_token_rejected (token_rejected)"),
        ("oauth_problem=rYCbcXP2waXkVVmLtoken", "403 unknown"),
        ("oauth_problem=confidential", "403 unknown"),
        (failures.V2_PERMISSIONS.body, "403 permissions (oauth1-permissions)"),
        ('{"type":"https://api.x.com/2/problems/A9-secret"}', "403 unknown"),
        ("something else", "403 unknown"),
    ],
)
def test_a_refusal_is_logged_with_the_providers_word_and_none_of_its_text(body: str, told: str) -> None:
    assert str(provider_errors.read(403, body.encode())) == told


def test_a_developer_is_told_what_to_do_about_each_cause_that_is_theirs() -> None:
    others = {
        *(Cause.RATE_LIMITED, Cause.OVER_CAPACITY),  # passing: the answer says when to come back
        *(
            Cause.TOKEN_REVOKED,
            Cause.TOKEN_EXPIRED,
            Cause.VERIFIER_REJECTED,
            Cause.REQUEST_TOKEN_REJECTED,
        ),  # the user's: start again
        Cause.UNKNOWN,
        *text.ACCOUNT_PROBLEMS,
    }
    assert {cause for cause in Cause if text.diagnosis(cause, "https://api.example/cb") is None} == others


def test_415_names_the_callback_url_to_register() -> None:
    told = text.diagnosis(Cause.CALLBACK_NOT_APPROVED, "https://api.example/oauth/x/callback")
    assert told
    assert told.endswith("https://api.example/oauth/x/callback")


def test_what_was_not_recognised_is_not_shown() -> None:
    assert text.diagnosis(Cause.UNKNOWN, "https://api.example/cb") is None


@pytest.mark.parametrize(
    ("challenge", "cause"),
    [
        ('OAuth realm="api", oauth_problem="token_revoked"', Cause.TOKEN_REVOKED),
        ("OAuth oauth_problem=signature_invalid", Cause.BAD_CREDENTIALS),
        ("OAuth oauth_problem='token_revoked'", Cause.TOKEN_REVOKED),
        ('OAuth oauth_problem = "token_revoked"', Cause.TOKEN_REVOKED),
        ("Bearer", Cause.UNKNOWN),
    ],
)
def test_a_refusal_may_stand_in_a_header(challenge: str, cause: Cause) -> None:
    assert provider_errors.read_api_error(401, b"", challenge).cause is cause
    assert provider_errors.read(401, b'{"errors":[{"code":135}]}', challenge).cause is Cause.CLOCK_OFF


def test_mediawikis_refusals_are_known_by_their_text() -> None:
    assert provider_errors.is_error_text(b"Error: An error occurred in the OAuth protocol")
    assert not provider_errors.is_error_text(b"oauth_token=a&oauth_token_secret=b")


@pytest.mark.parametrize(
    ("body", "page"),
    [
        (b"<!DOCTYPE html><title>Just a moment...</title>", True),
        (b"\xef\xbb\xbf\r\n<!doctype\n  html>", True),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0">', True),
        (b"<!-- a comment -->\n<html lang=en>", True),
        (b"<head><title>403", True),
        (b"<h1>Forbidden</h1>", True),
        (b"error code: 1020", True),
        (b"error code is unknown", False),
        (b'<?xml version="1.0"?><errors><error code="32">', False),
        (b"<hash><error>", False),
        (b"oauth_problem=token_revoked", False),
        (b'{"title": "<html>"}', False),
        (b"", False),
    ],
)
def test_a_page_is_what_stands_before_a_provider(body: bytes, page: bool) -> None:
    assert provider_errors.is_page(body) is page
