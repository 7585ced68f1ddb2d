"""The keys: the one that the stack makes, who may use it or the one that is given, in which way, and for what."""

from typing import Any

import pytest

from tests.support.translated import EVERYTHING, KEY, OWN_KEY, TranslatedStack, stack

MADE = "arn:aws:kms:us-east-1:123456789012:key/tripod-TokensKey"
WITH_A_KEY: list[tuple[dict[str, str], str]] = [
    (OWN_KEY, MADE),
    ({"KmsKeyArn": KEY}, KEY),
    (OWN_KEY | {"KmsKeyArn": KEY}, KEY),
    (EVERYTHING, KEY),
]
PREFIX, PROVIDER, USER = (f"kms:EncryptionContext:tripod:{name}" for name in ("prefix", "provider", "user_id"))
ONLY = {"kms:EncryptionContextKeys": ["tripod:prefix", "tripod:provider", "tripod:user_id"]}

# A use of a key: the action, and the service through which, or the caller itself.
READS_THE_TABLE = ("kms:Decrypt", "dynamodb")
READS_SECRETS = ("kms:Decrypt", "secretsmanager")
WRITES_SECRETS = ("kms:GenerateDataKey", "secretsmanager")
SEALS = ("kms:Encrypt", "itself")
OPENS = ("kms:Decrypt", "itself")
READERS = ("ReadTokens", "ReadTokensOfOneProvider")
BY_ITSELF = {name: {OPENS} for name in READERS} | {
    "CallbackFunctionRole 0": {SEALS},
    "RevokeFunctionRole 0": {OPENS},  # the token's own signature invalidates it
    "CheckFunctionRole 0": {OPENS},  # likewise: it asks whose token it is
    "SignFunctionRole 0": {OPENS},
    "RelayFunctionRole 1": {SEALS, OPENS},
}
THROUGH_SERVICES = {
    "StartFunctionRole 0": {READS_THE_TABLE, READS_SECRETS},
    "CallbackFunctionRole 0": {READS_THE_TABLE, READS_SECRETS, WRITES_SECRETS},
    "RedeemFunctionRole 0": {READS_THE_TABLE, READS_SECRETS, WRITES_SECRETS},  # a repeated write is compared: it is decrypted
    "RevokeFunctionRole 0": {READS_THE_TABLE, READS_SECRETS},
    "SignFunctionRole 0": {READS_THE_TABLE, READS_SECRETS},
    "RelayFunctionRole 1": {READS_THE_TABLE, READS_SECRETS, WRITES_SECRETS},
    "CheckFunctionRole 0": {READS_THE_TABLE, READS_SECRETS},
    "ReadTokens": {READS_THE_TABLE, READS_SECRETS},
    "ReadTokensOfOneProvider": {READS_THE_TABLE, READS_SECRETS},
    "ListUsers": {READS_THE_TABLE},
}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def uses(one: TranslatedStack, policy: str, key: str) -> set[tuple[str, str]]:
    """Return the uses of ``key`` that a policy allows; nothing else may be said of a key there."""
    found = set()
    for statement in one.policies()[policy]["Statement"]:
        for action in listed(statement["Action"]):
            if action.startswith("kms:"):
                assert (statement["Effect"], statement["Resource"]) == ("Allow", key)
                found |= {(action, way) for way in ways(statement["Condition"], one, policy)}
    return found


def ways(condition: dict[str, Any], one: TranslatedStack, policy: str) -> set[str]:
    """Return through which services a statement lets a key be used, or "itself": then in the context of a user's tokens only."""
    if "kms:ViaService" in condition["StringEquals"]:
        ((_, services),) = condition["StringEquals"].items()
        assert condition.keys() == {"StringEquals"}
        assert all(service.endswith(".us-east-1.amazonaws.com") for service in listed(services))
        return {service.split(".")[0] for service in listed(services)}
    pairs = {PREFIX: one.parameters["Prefix"]}
    if policy == "ReadTokensOfOneProvider":
        pairs[PROVIDER] = one.parameters["ReaderProvider"]
    there = dict.fromkeys({PROVIDER, USER} - pairs.keys(), "false")
    assert condition == {"StringEquals": pairs, "ForAllValues:StringEquals": ONLY, "Null": there}
    return {"itself"}


@pytest.mark.parametrize(("parameters", "key"), WITH_A_KEY)
def test_exactly_who_needs_a_key_may_use_it_for_what_it_is_for(parameters: dict[str, str], key: str) -> None:
    keyed, through = stack(**parameters), THROUGH_SERVICES if key == KEY else {}
    needed = {name: through.get(name, set()) | BY_ITSELF.get(name, set()) for name in through.keys() | BY_ITSELF.keys()}
    assert {name: allowed for name in keyed.policies() if (allowed := uses(keyed, name, key))} == needed


def test_without_a_key_nobody_uses_one_and_no_reader_knows_the_table() -> None:
    none = stack()
    assert "kms:" not in str(none.policies())
    for name in READERS:
        actions = [one["Action"] for one in none.policies()[name]["Statement"]]
        assert actions == ["secretsmanager:GetSecretValue", "lambda:InvokeFunction"]
    actions = [one["Action"] for one in none.policies()["SignFunctionRole 0"]["Statement"]]
    assert actions == ["secretsmanager:GetSecretValue"]


def test_the_prefix_and_the_provider_are_the_stacks_own() -> None:
    other = stack(**OWN_KEY, Prefix="other", ReaderProvider="flickr")
    assert uses(other, "ReadTokensOfOneProvider", MADE.replace("tripod", "other")) == {OPENS}
    (get,) = [one for one in other.policies()["ReadTokensOfOneProvider"]["Statement"] if one["Action"] == "dynamodb:GetItem"]
    assert get["Condition"]["ForAllValues:StringLike"] == {"dynamodb:LeadingKeys": "connection#flickr#*"}


def keys(one: TranslatedStack, variable: str) -> dict[str, str]:
    """Return each function's variable, where it has it."""
    variables = {name: one.environment(name) for name in one.functions()}
    return {name: known[variable] for name, known in variables.items() if variable in known}


def test_who_creates_secrets_knows_the_key() -> None:
    assert keys(stack(**EVERYTHING), "TRIPOD_KMS_KEY") == dict.fromkeys(
        ["CallbackFunction", "RedeemFunction", "RelayFunction"], KEY
    )
    assert set(keys(stack(), "TRIPOD_KMS_KEY").values()) == {""}
    assert set(keys(stack(**OWN_KEY), "TRIPOD_KMS_KEY").values()) == {""}  # that one is not for secrets


@pytest.mark.parametrize(("parameters", "key"), [({}, ""), *WITH_A_KEY])
def test_every_function_knows_the_key_that_seals_tokens(parameters: dict[str, str], key: str) -> None:
    """Those that neither seal nor open any, too: they say what is missing where there is none."""
    assert set(keys(stack(**parameters), "TRIPOD_TOKEN_KEY").values()) == {key}


@pytest.mark.parametrize("parameters", [{}, {"KmsKeyArn": KEY}, OWN_KEY | {"KmsKeyArn": KEY}])
def test_no_key_is_made_that_is_not_asked_for_or_not_needed(parameters: dict[str, str]) -> None:
    one = stack(**parameters)
    assert [kind for kind in one.kinds() if kind.startswith("AWS::KMS::")] == []
    assert "RetainedKey" not in one.outputs()


def test_the_key_outlives_the_stack_is_rotated_and_leaves_it_to_iam_who_may_use_it() -> None:
    one = stack(**OWN_KEY)
    raw, key = one.raw("TokensKey"), one.one("TokensKey")
    assert (raw["DeletionPolicy"], raw["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert key.keys() == {"Description", "EnableKeyRotation", "KeyPolicy"}  # so it is a symmetric one of this region
    assert key["EnableKeyRotation"] is True
    (statement,) = key["KeyPolicy"]["Statement"]
    assert statement == {
        "Sid": "LetIamPoliciesDecide",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    assert one.one("TokensKeyName") == {"AliasName": "alias/tripod-tokens", "TargetKeyId": one.reference("TokensKey")}
    assert one.outputs()["RetainedKey"] == MADE


def test_the_key_that_is_made_is_not_the_tables_own() -> None:
    assert "KMSMasterKeyId" not in stack(**OWN_KEY).one("Table")["SSESpecification"]


@pytest.mark.parametrize("policy", READERS)
def test_a_reader_gets_what_it_needs_of_a_connection_and_must_name_it(policy: str) -> None:
    one = stack(**OWN_KEY)
    (get,) = [statement for statement in one.policies()[policy]["Statement"] if statement["Action"] == "dynamodb:GetItem"]
    items = "connection#*" if policy == "ReadTokens" else "connection#x#*"
    assert get["Resource"] == one.attribute("Table", "Arn")
    assert get["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": items},
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sealed_tokens", "revoked_at"]},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }
