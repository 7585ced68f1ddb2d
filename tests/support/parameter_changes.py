"""For each parameter of the template: a value, where it is seen, and what is seen there before and after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.translated import BOUNDARY, CERTIFICATE, DOMAIN, KEY, TOPIC, TranslatedStack


@dataclass(frozen=True)
class Change:
    """What ``seen`` sees by default, and with ``value``; other parameters that ``value`` needs are in ``beside``."""

    value: str
    seen: Callable[[TranslatedStack], Any]
    before: Any
    after: Any
    beside: tuple[tuple[str, str], ...] = ()


def variable(function: str, name: str) -> Callable[[TranslatedStack], str]:
    return lambda stack: stack.environment(function)[name]


def readable(stack: TranslatedStack) -> list[str]:
    """Return what ReadTokensOfOneProvider names, from the secret's name on."""
    resources = stack.policies()["ReadTokensOfOneProvider"]["Statement"][0]["Resource"]
    return [one.partition(":secret:")[2] for one in resources]


def throttle(what: str) -> Callable[[TranslatedStack], str]:
    return lambda stack: str(stack.one("HttpApiApiGatewayDefaultStage")["DefaultRouteSettings"][f"Throttling{what}Limit"])


def domain(stack: TranslatedStack) -> tuple[str | None, str]:
    """Return the API's custom domain name and its callback URL's host."""
    name = stack.one("Domain")["DomainName"] if stack.has("Domain") else None
    return name, stack.outputs()["CallbackUrl"].split("/")[2]


def certificate(stack: TranslatedStack) -> str | None:
    return stack.one("Domain")["DomainNameConfigurations"][0]["CertificateArn"] if stack.has("Domain") else None


def rounds(stack: TranslatedStack) -> tuple[str, str]:
    """Return how often all connections are checked, and the state of the schedule."""
    return stack.environment("CheckFunction")["TRIPOD_CHECK_EVERY"], stack.one("CheckFunctionRound")["State"]


def tracing(stack: TranslatedStack) -> set[tuple[str | None, tuple[str, ...]]]:
    """Return each function's mode, and the policies for traces that its role has."""
    return {
        (
            one.get("TracingConfig", {}).get("Mode"),
            tuple(each.rpartition("/")[2] for each in stack.one(f"{name}Role")["ManagedPolicyArns"] if "ray" in each.lower()),
        )
        for name, one in stack.functions().items()
    }


FUNCTIONS = (
    "StartFunction",
    "CallbackFunction",
    "RedeemFunction",
    "RevokeFunction",
    "SignFunction",
    "CheckFunction",
    "RelayFunction",
)
OWN_HOST = "tripod-HttpApi.execute-api.us-east-1.amazonaws.com"


CHANGES = {
    "Prefix": Change("other", lambda stack: stack.one("StartFunction")["FunctionName"], "tripod-start", "other-start"),
    "AllowedReturnUrls": Change("https://a.example/", variable("StartFunction", "TRIPOD_RETURN_URLS"), "", "https://a.example/"),
    "EnablePin": Change("true", variable("StartFunction", "TRIPOD_PIN"), "false", "true"),
    "AppName": Change("Shop", variable("CallbackFunction", "TRIPOD_APP_NAME"), "", "Shop"),
    "Colour": Change("#ff0000", variable("CallbackFunction", "TRIPOD_COLOUR"), "#0b57d0", "#ff0000"),
    "RecoveryWindow": Change(
        "7",
        lambda stack: {stack.environment(f)["TRIPOD_RECOVERY_WINDOW"] for f in ("RevokeFunction", "RelayFunction")},
        {"30"},
        {"7"},
    ),
    "CheckEvery": Change("24", rounds, ("0", "DISABLED"), ("24", "ENABLED")),
    "ReaderProvider": Change(
        "other",
        readable,
        ["tripod/consumer/x-??????", "tripod/user/x/*"],
        ["tripod/consumer/other-??????", "tripod/user/other/*"],
    ),
    "SignProvider": Change("other", variable("SignFunction", "TRIPOD_SIGN_PROVIDER"), "", "other"),
    "LogRetention": Change(
        "7", lambda stack: {group["RetentionInDays"] for group in stack.resources("AWS::Logs::LogGroup").values()}, {"30"}, {"7"}
    ),
    "LogLevel": Change("DEBUG", variable("RelayFunction", "POWERTOOLS_LOG_LEVEL"), "INFO", "DEBUG"),
    "AlarmTopicArn": Change(
        TOPIC,
        lambda stack: [
            (alarm["AlarmActions"], alarm["OKActions"]) for alarm in stack.resources("AWS::CloudWatch::Alarm").values()
        ],
        [([], [])] * 8,
        [([TOPIC], [TOPIC])] * 8,
    ),
    "Dashboard": Change("off", lambda stack: "DashboardUrl" in stack.outputs(), True, False),
    "Tracing": Change("Active", tracing, {(None, ())}, {("Active", ("AWSXrayWriteOnlyAccess",))}),
    "ReservedConcurrency": Change(
        "20",
        lambda stack: {name: one.get("ReservedConcurrentExecutions") for name, one in stack.functions().items()},
        dict.fromkeys(FUNCTIONS),
        dict.fromkeys(FUNCTIONS) | {"StartFunction": "20", "CallbackFunction": "20"},
    ),
    "PermissionsBoundary": Change(
        BOUNDARY,
        lambda stack: {name: role.get("PermissionsBoundary") for name, role in stack.resources("AWS::IAM::Role").items()},
        {f"{name}Role": None for name in FUNCTIONS},
        {f"{name}Role": BOUNDARY for name in FUNCTIONS},
    ),
    "RouteRate": Change("5", throttle("Rate"), "50", "5"),
    "RouteBurst": Change("6", throttle("Burst"), "100", "6"),
    "KmsKeyArn": Change(KEY, lambda stack: stack.one("Table")["SSESpecification"].get("KMSMasterKeyId"), None, KEY),
    "TokenKey": Change(
        "on", variable("CallbackFunction", "TRIPOD_TOKEN_KEY"), "", "arn:aws:kms:us-east-1:123456789012:key/tripod-TokensKey"
    ),
    "DomainName": Change(DOMAIN, domain, (None, OWN_HOST), (DOMAIN, DOMAIN), (("CertificateArn", CERTIFICATE),)),
    "CertificateArn": Change(CERTIFICATE, certificate, None, CERTIFICATE, (("DomainName", DOMAIN),)),
    "SnapStart": Change(
        "on", lambda stack: stack.one("CallbackFunction")["SnapStart"], {"ApplyOn": "None"}, {"ApplyOn": "PublishedVersions"}
    ),
    "Memory": Change("512", lambda stack: {one["MemorySize"] for one in stack.functions().values()}, {"1024"}, {"512"}),
}
