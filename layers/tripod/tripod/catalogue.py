"""The catalogue: what Tripod knows of the living providers of OAuth 1.0a, by name. Data alone; ``definitions`` loads it when asked.

Written from the sources that each entry names, as of ``DATE``; no provider was called. docs/providers.md is made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tripod.x import X

DATE = "2026-11-26"
DAY = 86_400  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A provider: its definition, and what the app's developer should know.

    Attributes:
        definition: the keys of ``"provider"`` in a consumer secret; ``{site}`` stands for the deployer's own site.
        site: what ``"site"`` must be: a URL, an account's name, or nothing.
        usual_site: the site where the consumer secret names none.
        register: where to register an app, and what matters there.
        permissions: what is asked of the user, and how to ask for more.
        whose: what the user id is, and whether another person can ever have the same.
        denial: what happens if the user says no.
        revoked: what an API call answers for a revoked token.
        lifetime: how long a token lasts.
        disconnecting: what a disconnect does at the provider.
        limits: what is not possible, or different from X.
        sure: what the definition rests on: the provider's own documents or code, libraries that do it so, or memory in some part.
        sources: where that stands.
    """

    definition: Mapping[str, Any]
    register: str
    sources: str
    sure: Literal["documents", "libraries", "partly memory"]
    permissions: str = "The app's, as registered"
    whose: str = "The provider's own id, never another person's"
    denial: str = "Unknown"
    revoked: str = "unknown"
    lifetime: str = "Until it is revoked"
    disconnecting: str = "Nothing: only the user can revoke there"
    limits: str = ""
    site: Literal["", "url", "account"] = ""
    usual_site: str | None = None


_MEDIAWIKI: Mapping[str, Any] = {
    "request_token_url": "{site}/index.php?title=Special:OAuth/initiate",
    "authorize_url": "{site}/index.php?title=Special:OAuth/authorize",
    "authenticate_url": "{site}/index.php?title=Special:OAuth/authenticate",
    "access_token_url": "{site}/index.php?title=Special:OAuth/token",
    "identity_url": "{site}/index.php?title=Special:OAuth/identify",
    "identity_format": "jwt",
    "user_id_field": "sub",
    "screen_name_field": "username",
    "revoked": {"status": 200, "pattern": r'\{"error": ?\{"code": ?"mwoauth-invalid-authorization"'},
}

CATALOGUE: Mapping[str, Entry] = {
    "x": Entry(
        definition=X,
        register="console.x.com: an app in a project, with user authentication; its API key and secret, no OAuth 2.0 client id",
        permissions="The app's: read, read and write, or with direct messages; a start may ask for less (`x_auth_access_type`)",
        denial="Comes back with `denied`",
        revoked="code 89 at API v1.1; a 401 without a cause at API v2",
        disconnecting="The token is invalidated",
        sure="documents",
        sources="docs.x.com, Authentication",
    ),
    "tumblr": Entry(
        definition={
            "name": "Tumblr",
            "request_token_url": "https://www.tumblr.com/oauth/request_token",
            "authorize_url": "https://www.tumblr.com/oauth/authorize",
            "access_token_url": "https://www.tumblr.com/oauth/access_token",
            "identity_url": "https://api.tumblr.com/v2/user/info",
            "user_id_field": "response.user.name",
            "screen_name_field": "response.user.name",
            "api_hosts": ["api.tumblr.com"],
        },
        register="tumblr.com/oauth/apps",
        whose="The name of the user's first blog: whoever renames it is another user here, and the name may be taken over",
        denial="Comes back to the bare callback URL",
        sure="partly memory",
        sources="tumblr/docs issue 113; social-core; tumblr.php issue 58; passport-tumblr pull request 8; lifetime from memory",
        revoked="a 401",
    ),
    "flickr": Entry(
        definition={
            "name": "Flickr",
            "request_token_url": "https://www.flickr.com/services/oauth/request_token",
            "authorize_url": "https://www.flickr.com/services/oauth/authorize",
            "access_token_url": "https://www.flickr.com/services/oauth/access_token",
            "authorize_params": {"perms": "read"},
            "user_id_field": "user_nsid",
            "screen_name_field": "username",
            "revoked": {
                "status": 200,
                "pattern": r'(jsonFlickrApi\()?\{"stat": ?"fail", ?"code": ?98\b|<\?xml[^>]*>\s*<rsp stat="fail">\s*<err code="98"',
            },
            "api_hosts": ["www.flickr.com", "api.flickr.com", "up.flickr.com"],
        },
        register="flickr.com/services/apps/create",
        permissions='`read`; for more `"authorize_params": {"perms": "write"}`, or `delete`',
        denial="Never comes back: Flickr shows its own home page",
        revoked="code 98 with status 200, or `oauth_problem=token_rejected`",
        sure="partly memory",
        sources="flickr.com/services/api/auth.oauth.html; social-core; Flickr4Java issue 170; flickraw issue 29; code 98 from memory",
    ),
    "discogs": Entry(
        definition={
            "name": "Discogs",
            "request_token_url": "https://api.discogs.com/oauth/request_token",
            "authorize_url": "https://www.discogs.com/oauth/authorize",
            "access_token_url": "https://api.discogs.com/oauth/access_token",
            "identity_url": "https://api.discogs.com/oauth/identity",
            "user_id_field": "id",
            "screen_name_field": "username",
            "require_callback_confirmed": False,
            "api_hosts": ["api.discogs.com"],
        },
        register="discogs.com/settings/developers",
        denial="Comes back with `denied`",
        limits="60 signed calls a minute; calls need a User-Agent (the session sends Tripod's)",
        sure="partly memory",
        sources="discogs.com/developers; discogs_client; social-core; how a user says no from memory",
    ),
    "trello": Entry(
        definition={
            "name": "Trello",
            "request_token_url": "https://trello.com/1/OAuthGetRequestToken",
            "authorize_url": "https://trello.com/1/OAuthAuthorizeToken",
            "access_token_url": "https://trello.com/1/OAuthGetAccessToken",
            "authorize_params": {"scope": "read", "expiration": "never"},
            "identity_url": "https://api.trello.com/1/members/me?fields=id,username",
            "user_id_field": "id",
            "screen_name_field": "username",
            "pin": False,
            "invalidate_url": "https://api.trello.com/1/tokens/{token}",
            "invalidate_method": "DELETE",
            "require_callback_confirmed": False,
            "api_hosts": ["api.trello.com"],
        },
        register="trello.com/power-ups/admin: an API key, with the origin of the callback URL among its allowed origins",
        permissions='`read`; for more, and for your app\'s name on the page, `"authorize_params": '
        '{"scope": "read,write", "expiration": "never", "name": "…"}`',
        lifetime='Until it is revoked; with `"expiration": "30days"`, and `"lifetime": 2592000` beside it, 30 days',
        disconnecting="The token is deleted",
        limits="No PIN. Some were answered 400 at leg 1 without a word since 2023",
        sure="documents",
        sources="developer.atlassian.com/cloud/trello, Authorization, 2025-06-24; social-core; trello.js",
        revoked="a 401",
    ),
    "zotero": Entry(
        definition={
            "name": "Zotero",
            "request_token_url": "https://www.zotero.org/oauth/request",
            "authorize_url": "https://www.zotero.org/oauth/authorize",
            "access_token_url": "https://www.zotero.org/oauth/access",
            "user_id_field": "userID",
            "screen_name_field": "username",
            "authorize_params": {"library_access": "1"},
            "invalidate_url": "https://api.zotero.org/keys/{token_secret}",
            "invalidate_method": "DELETE",
            "require_callback_confirmed": False,
            "api_hosts": ["api.zotero.org"],
        },
        register="zotero.org/oauth/apps",
        permissions='Reading the library; `"authorize_params"` takes `notes_access`, `write_access` and `all_groups` too',
        disconnecting="The key is deleted",
        limits="API calls are not signed: send the token's secret as `Zotero-API-Key`. "
        'With `"identity": "1"` in `authorize_params` no key is made: sign-in only',
        sure="partly memory",
        sources="zotero.org/support/dev/web_api/v3/oauth; zotero-connectors; social-core; the refusal from memory",
        revoked="403 `Invalid key`",
    ),
    "wikimedia": Entry(
        definition={"name": "Wikimedia", **_MEDIAWIKI},
        site="url",
        usual_site="https://meta.wikimedia.org/w",
        register="Special:OAuthConsumerRegistration on Meta-Wiki: OAuth 1.0a, the callback URL as a prefix",
        permissions="The consumer's grants",
        whose="The central user id, the same on all wikis",
        denial="Never comes back: MediaWiki shows a page of its own",
        revoked="`mwoauth-invalid-authorization`, with status 200",
        sure="partly memory",
        sources="mediawiki.org, Extension:OAuth, and its source, 2026-08-20; that status from memory",
        limits="A consumer that is registered with a callback prefix can not do PINs",
    ),
    "mediawiki": Entry(
        definition={"name": "MediaWiki", **_MEDIAWIKI},
        site="url",
        register="Special:OAuthConsumerRegistration on the wiki: OAuth 1.0a, the callback URL as a prefix; "
        '`"site"` is the wiki\'s script path, such as `https://wiki.example.org/w`',
        permissions="The consumer's grants",
        whose="The wiki's central user id",
        denial="Never comes back: MediaWiki shows a page of its own",
        revoked="`mwoauth-invalid-authorization`, with status 200",
        limits="Needs Extension:OAuth, with OAuth 1.0a; with a callback prefix no PINs",
        sure="partly memory",
        sources="mediawiki.org, Extension:OAuth, and its source, 2026-08-20; that status from memory",
    ),
    "smugmug": Entry(
        definition={
            "name": "SmugMug",
            "request_token_url": "https://api.smugmug.com/services/oauth/1.0a/getRequestToken",
            "authorize_url": "https://api.smugmug.com/services/oauth/1.0a/authorize",
            "access_token_url": "https://api.smugmug.com/services/oauth/1.0a/getAccessToken",
            "authorize_params": {"Access": "Full", "Permissions": "Read"},
            "identity_url": "https://api.smugmug.com/api/v2!authuser",
            "user_id_field": "Response.User.NickName",
            "screen_name_field": "Response.User.NickName",
            "require_callback_confirmed": False,
            "api_hosts": ["api.smugmug.com", "upload.smugmug.com"],
        },
        register="api.smugmug.com/api/developer/apply",
        permissions='Reading all; `"authorize_params"`: `Access` is `Full` or `Public`, `Permissions` is `Read`, `Add` or `Modify`',
        whose="The nickname: whoever changes it is another user here",
        limits="A request token lasts five minutes",
        sure="documents",
        sources="api.smugmug.com/api/v2/doc, Authorization, and its OAuth FAQ",
        revoked="a 401",
    ),
    "evernote": Entry(
        definition={
            "name": "Evernote",
            "request_token_url": "https://www.evernote.com/oauth",
            "authorize_url": "https://www.evernote.com/OAuth.action",
            "access_token_url": "https://www.evernote.com/oauth",
            "method": "GET",
            "user_id_field": "edam_userId",
            "keep": ["edam_shard", "edam_noteStoreUrl", "edam_webApiUrlPrefix"],
            "expires_field": "edam_expires",
            "expires_unit": "epoch-ms",
            "require_callback_confirmed": False,
        },
        register="dev.evernote.com: a key by request",
        permissions="The key's",
        denial="Comes back with the request token and no verifier",
        lifetime="A year by default; `edam_expires` says when it ends",
        limits="Alive as far as its documents say. API calls are not signed: the token goes into each Thrift call; its secret is empty",
        sure="documents",
        sources="dev.evernote.com; allauth; passport-evernote issue 1; social-core",
        revoked="a Thrift exception, with status 200",
    ),
    "schoology": Entry(
        definition={
            "name": "Schoology",
            "request_token_url": "https://api.schoology.com/v1/oauth/request_token",
            "authorize_url": "{site}/oauth/authorize",
            "access_token_url": "https://api.schoology.com/v1/oauth/access_token",
            "method": "GET",
            "verifier": False,
            "realm": "Schoology API",
            "lifetime": 90 * DAY,
            "identity_url": "https://api.schoology.com/v1/app-user-info",
            "user_id_field": "api_uid",
            "require_callback_confirmed": False,
            "api_hosts": ["api.schoology.com"],
        },
        site="url",
        register="The school's administrator approves the app; `\"site\"` is the school's address, such as `https://school.schoology.com`",
        permissions="The app's, as approved",
        lifetime="90 days, then a 401",
        limits="No verifier: see below. Timestamps must not go back: Lambdas that run at the same time may be refused",
        sure="libraries",
        sources="developers.schoology.com, authentication and its update; schoology-api",
        revoked="a 401",
    ),
    "netsuite": Entry(
        definition={
            "name": "NetSuite",
            "request_token_url": "https://{site}.restlets.api.netsuite.com/rest/requesttoken",
            "authorize_url": "https://{site}.app.netsuite.com/app/login/secure/authorizetoken.nl",
            "access_token_url": "https://{site}.restlets.api.netsuite.com/rest/accesstoken",
            "identity_url": "https://{site}.restlets.api.netsuite.com/rest/tokeninfo",
            "user_id_field": "entityId",
            "screen_name_field": "entityName",
            "invalidate_url": "https://{site}.restlets.api.netsuite.com/rest/revoketoken",
            "invalidate_method": "GET",
            "signature_method": "HMAC-SHA256",
            "realm": "{SITE}",
            "keep": ["company", "role", "entity"],
            "require_callback_confirmed": False,
            "api_hosts": ["{site}.restlets.api.netsuite.com", "{site}.suitetalk.api.netsuite.com"],
        },
        site="account",
        register='An integration record with the TBA authorization flow; `"site"` is the account\'s id, such as `1234567_SB1`',
        permissions="The role that the user chooses",
        denial="Comes back with an empty verifier",
        disconnecting="The token is revoked",
        limits="No new integrations as of release 2027.1, and an end tentatively in 2028.2. Timestamps must not go back: Lambdas that "
        "run at the same time may be refused. One role of a user at a time: the user id is the same",
        sure="partly memory",
        sources="Oracle's help, The Three-Step TBA Authorization Flow; apideck, 2026-10-27; identity and revocation from memory",
        revoked="a 401",
    ),
    "wordpress": Entry(
        definition={
            "name": "WordPress",
            "request_token_url": "{site}/oauth1/request",
            "authorize_url": "{site}/oauth1/authorize",
            "access_token_url": "{site}/oauth1/access",
            "identity_url": "{site}/wp-json/wp/v2/users/me",
            "user_id_field": "id",
            "screen_name_field": "slug",
            "revoked": {"status": 401, "pattern": ".{0,200}Access token does not exist"},
        },
        site="url",
        register="Users, Applications, on a site with the plugin OAuth1 (WP-API)",
        permissions="All that the user may do",
        whose="The site's user id",
        denial="Never comes back: an empty page",
        revoked="`Access token does not exist`, with status 401",
        sure="partly memory",
        sources="github.com/WP-API/OAuth1, 2024-08; the identity's fields from memory",
    ),
    "trademe": Entry(
        definition={
            "name": "Trade Me",
            "request_token_url": "https://api.trademe.co.nz/Oauth/RequestToken?scope=MyTradeMeRead",
            "authorize_url": "https://trademe.co.nz/Oauth/Authorize",
            "access_token_url": "https://api.trademe.co.nz/Oauth/AccessToken",
            "identity_url": "https://api.trademe.co.nz/v1/MyTradeMe/Summary.json",
            "user_id_field": "MemberId",
            "screen_name_field": "Nickname",
            "api_hosts": ["api.trademe.co.nz"],
        },
        register="trademe.co.nz/MyTradeMe/Api: the callback URL's domain, to the letter",
        permissions="`MyTradeMeRead`; for more, `request_token_url` with `scope=MyTradeMeRead,MyTradeMeWrite,BiddingAndBuying`",
        sure="documents",
        sources="developer.trademe.co.nz; the identity's fields from several clients",
    ),
    "plurk": Entry(
        definition={
            "name": "Plurk",
            "request_token_url": "https://www.plurk.com/OAuth/request_token",
            "authorize_url": "https://www.plurk.com/OAuth/authorize",
            "access_token_url": "https://www.plurk.com/OAuth/access_token",
            "identity_url": "https://www.plurk.com/APP/Users/me",
            "user_id_field": "id",
            "screen_name_field": "nick_name",
            "invalidate_url": "https://www.plurk.com/APP/expireToken",
            "require_callback_confirmed": False,
            "api_hosts": ["www.plurk.com"],
        },
        register="plurk.com/PlurkApp",
        revoked="a 400 with an `error_text`",
        disconnecting="The token is expired",
        sure="partly memory",
        sources="plurk.com/API; the identity's fields and the disconnect from memory",
    ),
    "ravelry": Entry(
        definition={
            "name": "Ravelry",
            "request_token_url": "https://www.ravelry.com/oauth/request_token",
            "authorize_url": "https://www.ravelry.com/oauth/authorize",
            "access_token_url": "https://www.ravelry.com/oauth/access_token",
            "identity_url": "https://api.ravelry.com/current_user.json",
            "user_id_field": "user.id",
            "screen_name_field": "user.username",
            "require_callback_confirmed": False,
            "api_hosts": ["api.ravelry.com"],
        },
        register="ravelry.com/pro/developer: an app of OAuth 1.0a",
        sure="libraries",
        sources="omniauth-ravelry; scripts of 2025",
    ),
    "usos": Entry(
        definition={
            "name": "USOS",
            "request_token_url": "{site}/services/oauth/request_token?scopes=offline_access",
            "authorize_url": "{site}/services/oauth/authorize",
            "access_token_url": "{site}/services/oauth/access_token",
            "identity_url": "{site}/services/users/user?fields=id",
            "user_id_field": "id",
            "invalidate_url": "{site}/services/oauth/revoke_token",
            "require_callback_confirmed": False,
        },
        site="url",
        register='The university\'s USOS API, "developers"; `"site"` is its address, such as `https://usosapi.example.edu`',
        permissions="`offline_access`; for more, `request_token_url` with other `scopes`, by `|`",
        whose="The university's own user id",
        denial="Comes back with `error=access_denied`",
        lifetime="Until it is revoked; without `offline_access` about two hours",
        disconnecting="The token is revoked",
        sure="partly memory",
        sources="apps.usos.edu.pl/developers/api; Socialite; the twin OKAPI; how a user says no, and the lifetimes, from memory",
    ),
    "opencaching": Entry(
        definition={
            "name": "Opencaching",
            "request_token_url": "{site}/okapi/services/oauth/request_token",
            "authorize_url": "{site}/okapi/services/oauth/authorize",
            "access_token_url": "{site}/okapi/services/oauth/access_token",
            "identity_url": "{site}/okapi/services/users/user?fields=uuid%7Cusername",
            "user_id_field": "uuid",
            "screen_name_field": "username",
        },
        site="url",
        register='`/okapi/signup.html` of the site; `"site"` is its address, such as `https://opencaching.pl`',
        permissions="All that OKAPI offers",
        whose="The site's user id",
        denial="Comes back with `error=access_denied`; on some sites without the request token",
        sure="documents",
        sources="github.com/opencaching/okapi, its documents and issue 331",
    ),
    "hatena": Entry(
        definition={
            "name": "Hatena",
            "request_token_url": "https://www.hatena.com/oauth/initiate?scope=read_public",
            "authorize_url": "https://www.hatena.ne.jp/oauth/authorize",
            "access_token_url": "https://www.hatena.com/oauth/token",
            "user_id_field": "url_name",
            "screen_name_field": "display_name",
            "require_callback_confirmed": False,
        },
        register="developer.hatena.ne.jp: an OAuth application",
        permissions="`read_public`; for more, `request_token_url` with another `scope`, with commas",
        whose="The Hatena ID",
        sure="partly memory",
        sources="developer.hatena.ne.jp; several clients; the answer's fields from memory",
        revoked="`oauth_problem=token_rejected`",
    ),
    "zaim": Entry(
        definition={
            "name": "Zaim",
            "request_token_url": "https://api.zaim.net/v2/auth/request",
            "authorize_url": "https://auth.zaim.net/users/auth",
            "access_token_url": "https://api.zaim.net/v2/auth/access",
            "identity_url": "https://api.zaim.net/v2/home/user/verify",
            "user_id_field": "me.id",
            "screen_name_field": "me.login",
            "require_callback_confirmed": False,
            "api_hosts": ["api.zaim.net"],
        },
        register="dev.zaim.net",
        sure="libraries",
        sources="clients of 2026",
    ),
    "tripit": Entry(
        definition={
            "name": "TripIt",
            "request_token_url": "https://api.tripit.com/oauth/request_token",
            "authorize_url": "https://www.tripit.com/oauth/authorize",
            "access_token_url": "https://api.tripit.com/oauth/access_token",
            "verifier": False,
            "identity_url": "https://api.tripit.com/v1/get/profile?format=json",
            "user_id_field": "Profile.@attributes.ref",
            "screen_name_field": "Profile.screen_name",
            "require_callback_confirmed": False,
            "api_hosts": ["api.tripit.com"],
        },
        register="tripit.com/developer",
        limits="OAuth 1.0 without a verifier: see below. Alive as far as libraries keep it",
        sure="partly memory",
        sources="social-core; a dozen clients; the identity as JSON from memory",
    ),
    "launchpad": Entry(
        definition={
            "name": "Launchpad",
            "request_token_url": "https://launchpad.net/+request-token",
            "authorize_url": "https://launchpad.net/+authorize-token",
            "access_token_url": "https://launchpad.net/+access-token",
            "signature_method": "PLAINTEXT",
            "transmission": "body",
            "empty_consumer_secret": True,
            "verifier": False,
            "identity_url": "https://api.launchpad.net/1.0/people/+me",
            "user_id_field": "name",
            "screen_name_field": "name",
            "require_callback_confirmed": False,
            "api_hosts": ["api.launchpad.net"],
        },
        register="Nowhere: the consumer key is a name that you choose, and `consumer_secret` is empty",
        permissions="What the user chooses on the page",
        whose="The account's name",
        limits="OAuth 1.0 without a verifier: see below",
        sure="partly memory",
        sources="ten clients; the identity from memory",
    ),
    "fatsecret": Entry(
        definition={
            "name": "FatSecret",
            "request_token_url": "https://authentication.fatsecret.com/oauth/request_token",
            "authorize_url": "https://authentication.fatsecret.com/oauth/authorize",
            "access_token_url": "https://authentication.fatsecret.com/oauth/access_token",
            "user_id": "subject",
            "require_callback_confirmed": False,
            "revoked": {"status": 200, "pattern": r'\{"error": ?\{"code": ?9\b'},
            "api_hosts": ["platform.fatsecret.com"],
        },
        register="platform.fatsecret.com",
        whose="FatSecret names no user: the `subject` that your app gives, so begin by direct invocation",
        sure="partly memory",
        revoked="code 9 with status 200, where JSON is asked for",
        sources="platform.fatsecret.com, three-legged guide; the code from memory",
        limits="Timestamps must not go back: Lambdas that run at the same time may be refused",
    ),
}
