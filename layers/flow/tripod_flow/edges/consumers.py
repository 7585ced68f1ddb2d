"""The consumers: a provider's definition and our credentials there, read afresh once when the provider refuses them."""

from collections.abc import Callable
from typing import TypeVar

from tripod import names
from tripod.credentials import Consumer
from tripod.errors import ConsumerNotFound, MalformedSecret
from tripod.provider_errors import Cause
from tripod.secret_reader import SecretReader
from tripod_flow.edges import telemetry
from tripod_flow.edges.provider_answer import Refused
from tripod_flow.rules import provider
from tripod_flow.rules.errors import NotConfigured, UnknownProvider
from tripod_flow.rules.provider import ProviderDefinition

Result = TypeVar("Result")


class Consumers:
    """The consumer secrets; ``loopback`` allows a provider on this machine (the sandbox's), ``can_seal`` tokens in the table."""

    def __init__(self, reader: SecretReader, *, loopback: bool, can_seal: bool) -> None:
        self._reader = reader
        self._loopback = loopback
        self._can_seal = can_seal
        self._read: dict[str, tuple[Consumer, ProviderDefinition]] = {}  # one per consumer secret that there is

    def find(self, name: str, *, fresh: bool = False) -> tuple[ProviderDefinition, Consumer]:
        """Return the provider ``name`` and our credentials there; raises ``UnknownProvider`` or ``NotConfigured``."""
        if not names.is_provider(name):
            raise UnknownProvider("not a provider's name")
        try:
            consumer = self._reader.consumer(name, fresh=fresh)
        except ConsumerNotFound as error:
            raise UnknownProvider(str(error)) from None
        except MalformedSecret as error:
            raise NotConfigured(str(error)) from None
        read, definition = self._read.get(name, (None, None))
        if read is not consumer or definition is None:  # another object: the secret has been read again
            try:
                definition = self._definition(name, consumer)
            except NotConfigured:
                self._reader.forget_consumer(name)  # the next request reads what may have been corrected
                raise
            self._read[name] = consumer, definition
        return definition, consumer

    def _definition(self, name: str, consumer: Consumer) -> ProviderDefinition:
        if consumer.trimmed:
            telemetry.log().warning(
                "blanks around a credential are ignored", extra={"provider": name, "fields": consumer.trimmed}
            )
        if consumer.may_be_sealed and not self._can_seal:
            raise NotConfigured(f'"store": "{consumer.store}" of {name} needs a key: the stack\'s parameter TokenKey makes one')
        return provider.of(name, consumer, loopback=self._loopback)

    def known_name(self, name: str) -> str:
        """Return the provider's name as its definition writes it; empty where that has none, or was not read yet."""
        _, definition = self._read.get(name, (None, None))
        return definition.name if definition else ""

    def call(self, name: str, request: Callable[[ProviderDefinition, Consumer], Result]) -> Result:
        """Make ``request``; if the provider refuses our credentials and the secret holds others by now, once more with those."""
        definition, consumer = self.find(name)
        try:
            return request(definition, consumer)
        except Refused as refused:
            if refused.refusal.cause is not Cause.BAD_CREDENTIALS:
                raise
            fresh_definition, fresh = self.find(name, fresh=True)
            if fresh == consumer:
                raise
            return request(fresh_definition, fresh)
