"""One authorization by tweepy: prints the authorize URL, reads the verifier, prints who signed in.

Arguments: the provider's URL, consumer key, consumer secret, callback URL. tweepy knows only https://api.twitter.com, so
its URLs are turned to the provider before it signs; the signing is its own.
"""

import json
import sys

import requests
import tweepy  # type: ignore[import-not-found]  # installed elsewhere, see requirements.txt

X = "https://api.twitter.com"


class SandboxHandshake(tweepy.OAuth1UserHandler):  # type: ignore[misc]  # it has no types
    """tweepy's handshake at another provider."""

    def __init__(self, provider: str, *args: str, **named: str) -> None:
        self._provider = provider
        super().__init__(*args, **named)

    def _get_oauth_url(self, endpoint: str) -> str:
        return f"{self._provider}/oauth/{endpoint}"


class SandboxSession(requests.Session):
    """A session that calls the provider where tweepy says X."""

    def __init__(self, provider: str) -> None:
        super().__init__()
        self._provider = provider

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        request.url = str(request.url).replace(X, self._provider)
        return super().prepare_request(request)


def main(provider: str, key: str, secret: str, callback: str) -> None:
    handshake = SandboxHandshake(provider, key, secret, callback=callback)
    print(handshake.get_authorization_url(access_type="write"), flush=True)
    handshake.get_access_token(sys.stdin.readline().strip())
    api = tweepy.API(handshake)
    api.session = SandboxSession(provider)
    client = tweepy.Client(None, key, secret, handshake.access_token, handshake.access_token_secret)
    client.session = SandboxSession(provider)
    client.create_tweet(text="posted by tweepy")
    print(json.dumps({"v1": api.verify_credentials().screen_name, "v2": client.get_me().data.username}))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except tweepy.TweepyException as error:
        sys.exit(f"refused: {error}")
