"""The sandbox's KMS: the template's key, what decrypts what, and what it refuses."""

from typing import Any

import pytest

from sandbox.aws.server import AwsServer
from sandbox.world import Sandbox
from tests.support.refusal import refused

CONTEXT = {"tripod:prefix": "small", "tripod:provider": "x", "tripod:user_id": "1"}
OWN = "arn:aws:kms:us-east-1:999999999999:key/11111111-2222-3333-4444-555555555555"
ALIAS = "alias/small-seal"


@pytest.fixture(scope="module")
def kms(small: Sandbox) -> Any:
    return small.client("kms")


@pytest.fixture
def key(kms: Any) -> str:
    """Return the ARN of a key that nobody else uses."""
    return str(kms.create_key()["KeyMetadata"]["Arn"])


def seal(kms: Any, key: str, plaintext: bytes = b"hidden", **context: str) -> bytes:
    return bytes(kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=context or CONTEXT)["CiphertextBlob"])


def test_the_templates_key_and_alias_are_there_before_the_functions(small: Sandbox, kms: Any) -> None:
    described = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert described["Arn"] == small.template.attribute("Sealing", "Arn")
    assert (described["Description"], described["KeyId"]) == ("seals", small.template.reference("Sealing"))
    assert kms.get_key_rotation_status(KeyId=described["Arn"])["KeyRotationEnabled"]
    assert small.functions.invoke("small-act", {"do": "seal"}).payload == described["Arn"]


def test_a_key_that_is_there_stays(small: Sandbox) -> None:
    arns = set()
    for _ in range(2):
        with Sandbox(template=small.template.path, aws_url=small.aws, parameters={"Prefix": "keyed"}) as again:
            arns.add(again.template.attribute("Sealing", "Arn"))
    assert len(arns) == 1


@pytest.mark.parametrize("size", [1, 4096])
def test_what_is_sealed_is_opened_in_the_same_context_whatever_its_order(kms: Any, key: str, size: int) -> None:
    sealed = seal(kms, key, b"x" * size)
    turned = dict(reversed(CONTEXT.items()))
    for named in ({}, {"KeyId": key}, {"KeyId": key.rpartition("/")[2]}):
        opened = kms.decrypt(CiphertextBlob=sealed, EncryptionContext=turned, **named)
        assert (opened["Plaintext"], opened["KeyId"]) == (b"x" * size, key)


@pytest.mark.parametrize(
    "context",
    [
        {},
        CONTEXT | {"tripod:user_id": "2"},
        CONTEXT | {"tripod:provider": "y"},
        CONTEXT | {"more": "1"},
        {name: value for name, value in CONTEXT.items() if name != "tripod:user_id"},
        {"Tripod:prefix" if name == "tripod:prefix" else name: value for name, value in CONTEXT.items()},
        {"tripod:prefixsmall": "", **{name: value for name, value in CONTEXT.items() if name != "tripod:prefix"}},
    ],
)
def test_in_another_context_it_is_no_ciphertext(kms: Any, key: str, context: dict[str, str]) -> None:
    sealed = seal(kms, key)
    assert refused(kms.decrypt, CiphertextBlob=sealed, EncryptionContext=context) == "InvalidCiphertextException"


@pytest.mark.parametrize("damage", ["first", "last", "short", "words"])
def test_a_damaged_ciphertext_is_refused(kms: Any, key: str, damage: str) -> None:
    sealed = seal(kms, key)
    damaged = {
        "first": b"?" + sealed[1:],
        "last": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "short": sealed[:40],
        "words": b"a" * 99,
    }
    call = {"CiphertextBlob": damaged[damage], "EncryptionContext": CONTEXT}
    assert refused(kms.decrypt, **call) == refused(kms.decrypt, KeyId=key, **call) == "InvalidCiphertextException"


@pytest.mark.parametrize("size", [0, 4097])
def test_too_little_or_too_much_is_not_sealed(kms: Any, key: str, size: int) -> None:
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x" * size) == "ValidationException"


def test_too_long_a_ciphertext_is_not_opened(kms: Any, key: str) -> None:
    assert refused(kms.decrypt, CiphertextBlob=seal(kms, key) + b"x" * 6144) == "ValidationException"


def test_another_key_opens_nothing(kms: Any, key: str) -> None:
    sealed = {"CiphertextBlob": seal(kms, key), "EncryptionContext": CONTEXT}
    assert refused(kms.decrypt, KeyId=ALIAS, **sealed) == "IncorrectKeyException"


@pytest.mark.parametrize("missing", ["alias/nobodys", OWN, OWN.rpartition("/")[2], "nonsense"])
def test_a_key_that_is_not_there_is_not_found(kms: Any, key: str, missing: str) -> None:
    assert refused(kms.encrypt, KeyId=missing, Plaintext=b"x") == "NotFoundException"
    assert refused(kms.decrypt, KeyId=missing, CiphertextBlob=seal(kms, key)) == "NotFoundException"


def test_a_key_of_another_account_is_not_this_ones_of_the_same_id(kms: Any, key: str) -> None:
    account = key.split(":")[4]
    assert refused(kms.encrypt, KeyId=key.replace(account, "999999999999"), Plaintext=b"x") == "NotFoundException"


def test_a_disabled_key_seals_and_opens_nothing_until_it_is_enabled(kms: Any, key: str) -> None:
    sealed = {"CiphertextBlob": seal(kms, key), "EncryptionContext": CONTEXT}
    kms.disable_key(KeyId=key)
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == refused(kms.decrypt, **sealed) == "DisabledException"
    kms.enable_key(KeyId=key)
    assert kms.decrypt(**sealed)["Plaintext"] == b"hidden"


def test_a_key_that_waits_for_its_deletion_can_be_brought_back(kms: Any, key: str) -> None:
    sealed = {"CiphertextBlob": seal(kms, key), "EncryptionContext": CONTEXT}
    assert refused(kms.cancel_key_deletion, KeyId=key) == "KMSInvalidStateException"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == refused(kms.decrypt, **sealed) == "KMSInvalidStateException"
    assert refused(kms.enable_key, KeyId=key) == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key)
    assert refused(kms.decrypt, **sealed) == "DisabledException"  # cancelled, it is disabled
    kms.enable_key(KeyId=key)
    assert kms.decrypt(**sealed)["Plaintext"] == b"hidden"


def test_a_key_that_an_operator_made_is_used_by_its_arn() -> None:
    with Sandbox(parameters={"KmsKeyArn": OWN}, streams=False) as own:
        kms = own.client("kms")
        assert kms.encrypt(KeyId=OWN, Plaintext=b"x")["KeyId"] == OWN
        assert kms.decrypt(CiphertextBlob=seal(kms, OWN), EncryptionContext=CONTEXT)["KeyId"] == OWN


def test_a_call_is_on_record_by_its_key_and_context(kms: Any, key: str, aws: AwsServer) -> None:
    kms.decrypt(CiphertextBlob=seal(kms, key), EncryptionContext=CONTEXT)
    sealing, opening = aws.called("kms", "Encrypt", key)[-1], aws.called("kms", "Decrypt", "small x 1")[-1]
    assert sealing.resource == f"{key} small x 1"
    assert (sealing.error, opening.error) == (None, None)
    assert "hidden" not in repr(sealing)


@pytest.mark.parametrize(("kind", "code"), [("denied", "AccessDeniedException"), ("throttled", "ThrottlingException")])
def test_a_call_can_be_made_to_fail_by_whom_it_is_about(kms: Any, key: str, aws: AwsServer, kind: Any, code: str) -> None:
    fault = aws.fault("kms", "Encrypt", kind, times=100, match='"tripod:user_id": "of-the-fault"')
    try:
        assert refused(seal, kms=kms, key=key, **CONTEXT | {"tripod:user_id": "of-the-fault"}) == code
        assert fault.strikes
        seal(kms, key)
    finally:
        aws.disarm()
