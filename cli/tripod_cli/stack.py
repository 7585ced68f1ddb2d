"""The deployed stack of one prefix, as the operator's own credentials reach it."""

import os
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from tripod_cli.failure import OUT_OF_REACH, Failure
from tripod_flow.app import App
from tripod_flow.edges.moved_secrets import MovedSecrets
from tripod_flow.edges.roster import Roster
from tripod_flow.settings import Settings


class Stack:
    """The stack of ``prefix``; making one calls nothing.

    ``profile`` and ``region`` are AWS's, by default the environment's: ``AWS_REGION`` goes before the profile's, as in AWS's own command
    (boto3 reads ``AWS_DEFAULT_REGION`` alone). They are this process's from then on: the public package ``tripod`` takes its clients
    from boto3's default session, and its prefix from the environment.
    """

    def __init__(self, prefix: str, *, profile: str | None = None, region: str | None = None) -> None:
        self.prefix = prefix
        self._clients: dict[str, Any] = {}
        os.environ["TRIPOD_PREFIX"] = prefix
        boto3.setup_default_session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION") or None)

    def client(self, service: str) -> Any:
        """Return boto3's client of ``service``."""
        if service not in self._clients:
            read_timeout = 60 if service == "lambda" else 20
            config = Config(connect_timeout=5, read_timeout=read_timeout, retries={"mode": "standard"})
            self._clients[service] = boto3.client(service, config=config)  # type: ignore[call-overload]  # any service
        return self._clients[service]

    def parameter(self, name: str) -> str:
        """Return what the stack says of itself in SSM: ``table``, ``api-url``, ``bus``, ``layer-arn``."""
        value = self.find_parameter(name)
        if value is None:
            raise self._missing(f"SSM parameter /{self.prefix}/{name}")
        return value

    def find_parameter(self, name: str) -> str | None:
        """Return the same; None: there is no such parameter."""
        client = self.client("ssm")
        try:
            return str(client.get_parameter(Name=f"/{self.prefix}/{name}")["Parameter"]["Value"])
        except client.exceptions.ParameterNotFound:
            return None

    def function(self, name: str) -> dict[str, Any]:
        """Return the configuration of the function ``{prefix}-{name}``, as Lambda's GetFunctionConfiguration has it."""
        found = self.find_function(name)
        if found is None:
            raise self._missing(f"function {self.prefix}-{name}")
        return found

    def find_function(self, name: str, alias: str = "") -> dict[str, Any] | None:
        """Return the same, of the version behind ``alias`` where one is named; None: there is no such function."""
        client, qualifier = self.client("lambda"), {"Qualifier": alias} if alias else {}
        try:
            return dict(client.get_function_configuration(FunctionName=f"{self.prefix}-{name}", **qualifier))
        except client.exceptions.ResourceNotFoundException:
            return None

    @cached_property
    def settings(self) -> Settings:
        """The settings of the function that stores tokens, which has them all."""
        return Settings.from_env(self.function("relay").get("Environment", {}).get("Variables", {}))

    @cached_property
    def app(self) -> App:
        """The flows of the stack, with the operator's credentials."""
        return App(self.settings, client=self.client)

    @cached_property
    def roster(self) -> Roster:
        """Who is connected."""
        return Roster(self.client("dynamodb"), self.client("secretsmanager"), prefix=self.prefix, table=self.settings.table)

    @cached_property
    def moved_secrets(self) -> MovedSecrets:
        """Users' secrets, to be read and to be brought back."""
        return MovedSecrets(self.client("secretsmanager"), self.prefix, self.settings.kms_key)

    def _missing(self, what: str) -> Failure:
        region = boto3.DEFAULT_SESSION.region_name if boto3.DEFAULT_SESSION else None
        where = f"in {region or 'this region'}"
        return Failure(
            f"there is no {what} {where}: is --prefix the stack's parameter Prefix, and --region its region?", OUT_OF_REACH
        )
