import json
import re
from dataclasses import replace

import pytest

from tripod.credentials import AccessToken, Consumer, SigningTokens, UserTokens

TOKENS = UserTokens(
    provider="x", user_id="42", screen_name="jo", oauth_token="token-value", oauth_token_secret="secret-value", consumer_key="key"
)


def test_what_is_secret_stays_out_of_repr() -> None:
    assert "secret-value" not in repr(TOKENS)
    assert "token-value" not in repr(TOKENS)
    assert "s3cret" not in repr(Consumer("key", "s3cret"))


def test_an_access_token_hides_both_secrets_and_is_what_user_tokens_are_made_of() -> None:
    token = AccessToken(oauth_token="token-value", oauth_token_secret="secret-value", consumer_key="key")
    assert repr(token) == "AccessToken(consumer_key='key', expires_at=None)"
    assert isinstance(TOKENS, AccessToken)


def test_a_user_secret_reads_back_as_it_was_written() -> None:
    assert UserTokens.from_json(TOKENS.to_json()) == TOKENS


def test_a_user_secrets_json_is_the_same_byte_for_byte() -> None:
    assert TOKENS.to_json() == (
        '{"consumer_key": "key", "expires_at": null, "extra": {}, "oauth_token": "token-value", "oauth_token_secret": "secret-value", '
        '"provider": "x", "screen_name": "jo", "user_id": "42"}'
    )


def test_what_ends_and_what_is_kept_is_read_back() -> None:
    evernote = replace(TOKENS, expires_at=1_800_000_000, extra={"edam_shard": "s1"})
    assert UserTokens.from_json(evernote.to_json()) == evernote
    assert '"edam_shard": "s1"' in evernote.to_json()
    content = json.loads(TOKENS.to_json())
    del content["expires_at"], content["extra"]
    assert UserTokens.from_json(json.dumps(content)) == TOKENS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"expires_at": "1800000000"}, '"expires_at" must be a whole number or null'),
        ({"expires_at": True}, '"expires_at" must be a whole number or null'),
        ({"expires_at": 1.5}, '"expires_at" must be a whole number or null'),
        ({"extra": []}, '"extra" must be an object of strings'),
        ({"extra": {"a": 1}}, '"extra" must be an object of strings'),
    ],
)
def test_an_end_and_what_is_kept_have_their_form(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        UserTokens.from_json(json.dumps(json.loads(TOKENS.to_json()) | changes))


@pytest.mark.parametrize("given", [{}, {"consumer_secret": ""}, {"consumer_secret": None}])
def test_a_consumer_secret_may_be_empty_where_the_provider_has_none(given: dict[str, object]) -> None:
    text = json.dumps({"consumer_key": "k", "provider": "launchpad", **given})
    assert Consumer.from_json(text).consumer_secret == ""
    assert (
        Consumer.from_json(json.dumps({"consumer_key": "k", "consumer_secret": "s", "provider": "launchpad"})).consumer_secret
        == "s"
    )
    with pytest.raises(ValueError, match='"consumer_secret" must be'):
        Consumer.from_json(json.dumps({"consumer_key": "k", "provider": "flickr", **given}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"realm": 'a"b'}, '"provider.realm" must be text'),
        ({"realm": ""}, '"provider.realm" must be text'),
        ({"realm": 5}, '"provider.realm" must be text'),
        ({"revoked": {"status": 401}}, '"provider.revoked" must be'),
        ({"revoked": {"status": 401, "pattern": "a", "more": 1}}, '"provider.revoked" must be'),
        ({"revoked": {"status": 99, "pattern": "a"}}, '"provider.revoked" must be'),
        ({"revoked": {"status": "401", "pattern": "a"}}, '"provider.revoked" must be'),
        ({"revoked": {"status": 401, "pattern": ""}}, '"provider.revoked" must be'),
        ({"revoked": {"status": 401, "pattern": "("}}, '"provider.revoked" must be'),
        ({"revoked": {"status": 401, "pattern": "a" * 201}}, '"provider.revoked" must be'),
        ({"revoked": {"status": 401, "pattern": "a{99999999999}"}}, '"provider.revoked" must be'),
        ({"revoked": "401"}, '"provider.revoked" must be'),
    ],
)
def test_what_readers_need_of_a_provider_has_its_form(changes: dict[str, object], said: str) -> None:
    text = json.dumps({"consumer_key": "k", "consumer_secret": "s", "provider": {"like": "flickr", **changes}})
    with pytest.raises(ValueError, match=re.escape(said)):
        Consumer.from_json(text)


def test_a_consumer_secret_may_describe_a_provider() -> None:
    consumer = Consumer.from_json(
        '{"consumer_key": "k", "consumer_secret": "s", "store": "none", "provider": {"signature_method": "PLAINTEXT"}}'
    )
    assert (consumer.store, consumer.signature_method) == ("none", "PLAINTEXT")
    assert Consumer.from_json('{"consumer_key": "k", "consumer_secret": "s"}').signature_method == "HMAC-SHA1"


@pytest.mark.parametrize(
    "blanks",
    [
        " ",
        "\n",
        "\r\n",
        "\t",
        "\u00a0",
        "\u200b",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u00ad",
        " \u200b\n",
        "\u202a",
        "\u2066",
        "\u061c",
        "\ufe0f",
    ],
)
def test_what_was_pasted_along_with_a_credential_is_cut_off_and_named(blanks: str) -> None:
    pasted = {"consumer_key": f"{blanks}k k{blanks}", "consumer_secret": "s3cret"}
    found = Consumer.from_json(json.dumps(pasted))
    assert (found.consumer_key, found.consumer_secret, found.trimmed) == ("k k", "s3cret", ("consumer_key",))
    assert found == Consumer("k k", "s3cret")
    pasted = {"consumer_key": "k", "consumer_secret": f"s3cret{blanks}"}
    assert Consumer.from_json("\ufeff" + json.dumps(pasted)).trimmed == ("consumer_secret",)
    with pytest.raises(ValueError, match='"consumer_secret" has nothing but blanks'):
        Consumer.from_json(json.dumps(pasted | {"consumer_secret": blanks}))


def test_a_consumer_secret_that_was_pasted_is_read() -> None:
    for around in ("\ufeff", "\ufeff\ufeff", "\u200b", "\n \u00a0"):
        assert Consumer.from_json(around + '{"consumer_key": "k", "consumer_secret": "s"}' + around).consumer_key == "k"
    broken = Consumer.from_json('{"consumer_key": "k\n", "consumer_secret": "\ts"}')  # line end and tab as they are, not escaped
    assert (broken.consumer_key, broken.consumer_secret, broken.trimmed) == ("k", "s", ("consumer_key", "consumer_secret"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("s3cret", "not JSON"),
        ('{"consumer_key": "k", "consumer_secret": "s3cret\\ud800"}', '"consumer_secret" holds half a character'),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ('{"consumer_key": "k"}', '"consumer_secret" must be'),
        ('{"consumer_key": 5, "consumer_secret": "s3cret"}', '"consumer_key" must be'),
        ('{"consumer_key": "k", "consumer_secret": "s3cret", "stoer": true}', "unknown keys: stoer"),
        ('{"s3cret-Key": "k", "consumer_key": "k", "consumer_secret": "s3cret"}', "look like values"),
        ('{"consumer_key": "k", "consumer_secret": "s3cret", "store": "no"}', '"store" must be'),
        ('{"consumer_key": "k", "consumer_secret": "s3cret", "provider": []}', '"provider" must be'),
        ('{"consumer_key": "k", "consumer_secret": "s3cret", "provider": {"signature_method": "MD5"}}', "signature_method"),
    ],
)
def test_a_malformed_consumer_secret_is_told_without_its_content(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        Consumer.from_json(text)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("missing", ["provider", "user_id", "oauth_token", "oauth_token_secret", "consumer_key"])
def test_a_user_secret_that_lacks_a_field_is_malformed(missing: str) -> None:
    content = json.loads(TOKENS.to_json())
    del content[missing]
    with pytest.raises(ValueError, match=missing):
        UserTokens.from_json(json.dumps(content))


def test_signing_tokens_have_the_apps_current_key_and_hide_its_secret() -> None:
    tokens = SigningTokens.of(TOKENS, Consumer("newer-key", "s3cret"))
    assert (tokens.consumer_key, tokens.consumer_secret, tokens.user_id) == ("newer-key", "s3cret", "42")
    assert "s3cret" not in repr(tokens)
    assert "s3cret" not in tokens.to_json()
    assert isinstance(tokens, UserTokens)
