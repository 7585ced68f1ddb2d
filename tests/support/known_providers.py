"""What the author of an app reads about each provider that the sandbox plays: written apart from plays.toml, so that each checks the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SCHOOLOGY = "https://api.schoology.com/v1"
NETSUITE = "https://1234567.restlets.api.netsuite.com/rest"
TRELLO = "https://trello.com/1"
WIKI = "w/index.php?title=Special:OAuth"
USERINFO = "w/api.php?action=query&meta=userinfo&format=json"


@dataclass(frozen=True)
class Known:
    """One provider, as an app sees it.

    ``read``: a call that a token opens; ``id_path``: where the user's id is in its JSON; ``user_id``: which it is.
    ``id_field``: its field in the token answer. ``no``: what the callback gets when the user refuses, None where it never comes.
    ``says``: the status of a refusal, and a part of its text. ``revoked``: the same for a revoked token at ``read``.
    ``late``: the callback stands on the authorize URL, and no verifier comes.
    """

    request_token: str
    authorize: str
    access_token: str
    read: str
    id_path: str = ""
    user_id: str = "{user_id}"
    id_field: str = ""
    method: str = "POST"
    signature_method: str = "HMAC-SHA1"
    signature_type: str = "AUTH_HEADER"
    no: Mapping[str, str] | None = field(default_factory=lambda: {"denied": "{token}"})
    signature_refused: tuple[int, str] = (401, "")
    verifier_refused: tuple[int, str] = (401, "")
    revoked: tuple[int, str] = (401, "")
    revoke: tuple[str, str] | None = None
    late: bool = False
    realm: str = ""


def _legs(base: str, *legs: str) -> tuple[str, str, str]:
    request_token, authorize, access_token = (f"{base}{leg}" for leg in legs or ("request_token", "authorize", "access_token"))
    return request_token, authorize, access_token


def _wiki(site: str) -> Known:
    return Known(
        *_legs(f"{site}/{WIKI}/", "initiate", "authorize", "token"),
        read=f"{site}/{USERINFO}",
        id_path="query.userinfo.id",
        no=None,
        signature_refused=(200, "Error: An error occurred in the OAuth protocol: Invalid signature"),
        verifier_refused=(200, "Error: The verification code provided was not valid."),
        revoked=(200, "mwoauth-invalid-authorization"),
    )


KNOWN = {
    "tumblr": Known(
        *_legs("https://www.tumblr.com/oauth/"),
        read="https://api.tumblr.com/v2/user/info",
        id_path="response.user.name",
        user_id="{screen_name}",
        no={},
        signature_refused=(401, "does not match expected value"),
        verifier_refused=(401, "Missing or invalid oauth_verifier"),
    ),
    "flickr": Known(
        "https://www.flickr.com/services/oauth/request_token",
        "https://www.flickr.com/services/oauth/authorize?perms=read",
        "https://www.flickr.com/services/oauth/access_token",
        read="https://api.flickr.com/services/rest?method=flickr.test.login&format=json&nojsoncallback=1",
        id_path="user.id",
        user_id="{user_id}@N00",
        id_field="user_nsid",
        method="GET",
        no=None,
        signature_refused=(401, "oauth_problem=signature_invalid&debug_sbs="),
        revoked=(200, "Invalid auth token"),
    ),
    "discogs": Known(
        "https://api.discogs.com/oauth/request_token",
        "https://www.discogs.com/oauth/authorize",
        "https://api.discogs.com/oauth/access_token",
        read="https://api.discogs.com/oauth/identity",
        id_path="id",
        signature_method="PLAINTEXT",
        signature_refused=(401, '{"message":'),
    ),
    "trello": Known(
        f"{TRELLO}/OAuthGetRequestToken",
        f"{TRELLO}/OAuthAuthorizeToken?scope=read,account&expiration=never&name=Shelves",
        f"{TRELLO}/OAuthGetAccessToken",
        read="https://api.trello.com/1/members/me?fields=id,username",
        id_path="id",
        revoke=("DELETE", "https://api.trello.com/1/tokens/{token}"),
    ),
    "zotero": Known(
        "https://www.zotero.org/oauth/request",
        "https://www.zotero.org/oauth/authorize?name=Shelves&library_access=1",
        "https://www.zotero.org/oauth/access",
        read="https://api.zotero.org/users/{user_id}/items",
        id_field="userID",
        no={},
        revoked=(403, ""),
        revoke=("DELETE", "https://api.zotero.org/keys/{secret}"),
    ),
    "wikimedia": _wiki("https://meta.wikimedia.org"),
    "mediawiki": _wiki("https://wiki.botany.example"),
    "smugmug": Known(
        *_legs("https://api.smugmug.com/services/oauth/1.0a/", "getRequestToken", "authorize", "getAccessToken"),
        read="https://api.smugmug.com/api/v2!authuser",
        id_path="Response.User.NickName",
        user_id="{screen_name}",
        no={"oauth_problem": "user_refused", "oauth_token": "{token}"},
    ),
    "evernote": Known(
        "https://www.evernote.com/oauth",
        "https://www.evernote.com/OAuth.action",
        "https://www.evernote.com/oauth",
        read="https://www.evernote.com/shard/s1/notestore",
        id_field="edam_userId",
        method="GET",
        signature_type="QUERY",
        no={"oauth_token": "{token}"},
        verifier_refused=(401, "Tomcat"),
        revoked=(200, "EDAMUserException"),
    ),
    "fatsecret": Known(
        *_legs("https://authentication.fatsecret.com/oauth/"),
        read="https://platform.fatsecret.com/rest/server.api?method=profile.get&format=json",
        revoked=(200, '"code":9'),
    ),
    "schoology": Known(
        f"{SCHOOLOGY}/oauth/request_token",
        "https://district.example/oauth/authorize",
        f"{SCHOOLOGY}/oauth/access_token",
        read=f"{SCHOOLOGY}/app-user-info",
        id_path="api_uid",
        method="GET",
        no={"oauth_token": "{token}"},
        late=True,
        realm="Schoology API",
    ),
    "netsuite": Known(
        f"{NETSUITE}/requesttoken",
        "https://1234567.app.netsuite.com/app/login/secure/authorizetoken.nl",
        f"{NETSUITE}/accesstoken",
        read=f"{NETSUITE}/tokeninfo",
        id_path="entityId",
        signature_method="HMAC-SHA256",
        no={"oauth_token": "{token}", "oauth_verifier": ""},
        revoke=("GET", f"{NETSUITE}/revoketoken"),
        realm="1234567",
    ),
    "wordpress": Known(
        *_legs("https://blog.botany.example/oauth1/", "request", "authorize", "access"),
        read="https://blog.botany.example/wp-json/wp/v2/users/me",
        id_path="id",
        no=None,
        signature_refused=(401, "OAuth signature does not match"),
        verifier_refused=(400, "OAuth verifier does not match"),
        revoked=(401, "Access token does not exist"),
    ),
    "trademe": Known(
        "https://api.trademe.co.nz/Oauth/RequestToken?scope=MyTradeMeRead,MyTradeMeWrite,BiddingAndBuying",
        "https://trademe.co.nz/Oauth/Authorize",
        "https://api.trademe.co.nz/Oauth/AccessToken",
        read="https://api.trademe.co.nz/v1/MyTradeMe/Summary.json",
        id_path="MemberId",
        signature_method="PLAINTEXT",
        no={},
    ),
    "plurk": Known(
        *_legs("https://www.plurk.com/OAuth/"),
        read="https://www.plurk.com/APP/Users/me",
        id_path="id",
        no={},
        signature_refused=(400, '{"error_text":"40004:'),
        verifier_refused=(400, "error_text"),
        revoked=(400, "error_text"),
        revoke=("GET", "https://www.plurk.com/APP/expireToken"),
    ),
    "ravelry": Known(
        *_legs("https://www.ravelry.com/oauth/"), read="https://api.ravelry.com/current_user.json", id_path="user.id"
    ),
    "usos": Known(
        "https://usosapi.botany.example/services/oauth/request_token?scopes=studies%7Coffline_access",
        "https://usosapi.botany.example/services/oauth/authorize?interactivity=minimal",
        "https://usosapi.botany.example/services/oauth/access_token",
        read="https://usosapi.botany.example/services/users/user?fields=id%7Cfirst_name%7Clast_name",
        id_path="id",
        no={"error": "access_denied", "oauth_token": "{token}"},
        signature_refused=(401, '{"message":'),
        revoke=("POST", "https://usosapi.botany.example/services/oauth/revoke_token"),
    ),
    "opencaching": Known(
        *_legs("https://opencaching.pl/okapi/services/oauth/"),
        read="https://opencaching.pl/okapi/services/users/user?fields=uuid%7Cusername",
        id_path="uuid",
        user_id="00000000-0000-0000-0000-{user_id}",
        no={"error": "access_denied", "oauth_token": "{token}"},
        signature_refused=(400, "reason_stack"),
        verifier_refused=(400, "reason_stack"),
    ),
    "hatena": Known(
        "https://www.hatena.com/oauth/initiate?scope=read_public",
        "https://www.hatena.ne.jp/oauth/authorize",
        "https://www.hatena.com/oauth/token",
        read="https://n.hatena.com/applications/my.json",
        id_path="url_name",
        id_field="url_name",
        user_id="{screen_name}",
    ),
    "zaim": Known(
        "https://api.zaim.net/v2/auth/request",
        "https://auth.zaim.net/users/auth",
        "https://api.zaim.net/v2/auth/access",
        read="https://api.zaim.net/v2/home/user/verify",
        id_path="me.id",
    ),
    "tripit": Known(
        "https://api.tripit.com/oauth/request_token",
        "https://www.tripit.com/oauth/authorize",
        "https://api.tripit.com/oauth/access_token",
        read="https://api.tripit.com/v1/get/profile?format=json",
        id_path="Profile.@attributes.ref",
        no={"oauth_token": "{token}"},
        late=True,
    ),
    "launchpad": Known(
        "https://launchpad.net/+request-token",
        "https://launchpad.net/+authorize-token",
        "https://launchpad.net/+access-token",
        read="https://api.launchpad.net/1.0/~{screen_name}",
        id_path="name",
        user_id="{screen_name}",
        signature_method="PLAINTEXT",
        signature_type="BODY",
        no={"oauth_token": "{token}"},
        late=True,
    ),
}
