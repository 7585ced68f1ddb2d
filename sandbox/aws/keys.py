"""KMS's keys, and KMS's rules where moto is more lenient or answers differently.

Sources: KMS's API reference ("Encrypt", "Decrypt") and its developer guide ("Encryption context", "Key states"). Each rule is one that
moto 5.2.5 lacks.
"""

import base64
import binascii
import json
import re
from typing import Any

from moto.kms import utils
from moto.kms.models import Key, kms_backends

from sandbox.aws.faults import AwsError
from sandbox.aws.request import AwsRequest

CIPHERTEXT_SIZE = 6144  # bytes
AWS_ALIAS = "alias/aws/"  # begins the aliases of AWS's own keys

_CRYPTOGRAPHIC = {"Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"}
_BY_ID = {"DisableKey", "EnableKey", "ScheduleKeyDeletion", "CancelKeyDeletion"}  # moto takes no ARN there
_ID = re.compile(rb"(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def _serialized(encryption_context: dict[str, str]) -> bytes:
    """Return the bytes to which moto binds a ciphertext: of no two contexts alike, as moto's own are ({"a": "bc"} and {"ab": "c"})."""
    return json.dumps(encryption_context, sort_keys=True).encode()


vars(utils)["_serialize_encryption_context"] = _serialized


def add(arn: str, account: str) -> None:
    """Make a key of this ARN, which an operator would have made before the stack; ``account`` is the caller's."""
    region, identifier = arn.split(":")[3], arn.rpartition("/")[2]
    backend = kms_backends[account][region]
    if identifier not in backend.keys:
        key = backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "made by an operator", None)
        del backend.keys[key.id]
        key.id, key.arn = identifier, arn
        backend.keys[identifier] = key


def named(request: AwsRequest, name: str) -> Key | None:
    """Return the key of an id, ARN, alias or alias's ARN."""
    for key in kms_backends[request.account][request.region].keys.values():
        if name in {key.id, key.arn, *key.aliases, *(alias.alias_arn for alias in key.aliases.values())}:
            return key
    return None


def used(request: AwsRequest) -> Key | None:
    """Return the key that a call uses: the one that it names, else the one under which its ciphertext is."""
    if name := request.parameters.get("KeyId"):
        return named(request, str(name))
    return named(request, _key_of_ciphertext(request) or "")


def is_awss_own(key: Key) -> bool:
    """Return True for a key of AWS's, which needs no permission where a service uses it for its caller."""
    return any(alias.startswith(AWS_ALIAS) for alias in key.aliases)


def resource(request: AwsRequest) -> str:
    """Return what a call is about: the key as the caller names it, and the encryption context's values."""
    context: dict[str, Any] = request.parameters.get("EncryptionContext") or {}
    return " ".join(str(part) for part in (request.parameters.get("KeyId"), *context.values()) if part)


def refusal(request: AwsRequest) -> AwsError | None:
    """Return the error with which KMS refuses this call although moto would not; None where moto decides."""
    name = str(request.parameters.get("KeyId") or "")
    key = used(request)
    if name and key is None and AWS_ALIAS not in name:
        return AwsError("NotFoundException", f"Key '{name}' does not exist")
    if request.operation == "Decrypt" and (error := _ciphertext_refusal(request, key)):
        return error
    return _state_refusal(request.operation, key) if key else None


def _ciphertext_refusal(request: AwsRequest, key: Key | None) -> AwsError | None:
    if len(_ciphertext(request)) > CIPHERTEXT_SIZE:
        return AwsError("ValidationException", f"Member must have length less than or equal to {CIPHERTEXT_SIZE}")
    under = _key_of_ciphertext(request)
    if under is None:
        return AwsError("InvalidCiphertextException", "")
    if key and key.id != under:
        return AwsError("IncorrectKeyException", "The key ID in the request does not identify a key that can decrypt this")
    return None


def _state_refusal(operation: str, key: Key) -> AwsError | None:
    pending = key.key_state == "PendingDeletion"
    if pending and operation in _CRYPTOGRAPHIC | _BY_ID - {"CancelKeyDeletion"}:
        return AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if operation == "CancelKeyDeletion" and not pending:
        return AwsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    if operation in _CRYPTOGRAPHIC and not key.enabled:
        return AwsError("DisabledException", f"{key.arn} is disabled.")
    return None


def _ciphertext(request: AwsRequest) -> bytes:
    try:
        return base64.b64decode(str(request.parameters.get("CiphertextBlob") or ""))
    except binascii.Error:
        return b""


def _key_of_ciphertext(request: AwsRequest) -> str | None:
    """Return the id with which moto begins a ciphertext; None for what is no ciphertext."""
    found = _ID.match(_ciphertext(request))
    return found[0].decode() if found else None


def by_id(request: AwsRequest, body: bytes) -> bytes:
    """Return a call's body with the key's id in place of its ARN, where moto wants that."""
    if request.service != "kms" or request.operation not in _BY_ID or (key := used(request)) is None:
        return body
    return json.dumps({**request.parameters, "KeyId": key.id}).encode()
