"""The functions, routes and tables that template.yaml describes.

Nothing is configured beside it, so a route or variable that is missing there is missing in the sandbox too.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.template.intrinsics import Document, text

DEFAULT_TIMEOUT = 3  # seconds; Lambda's, where a template names none
DEFAULT_MEMORY = 128  # MB; likewise


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API; ``iam`` when only signed requests may pass."""

    method: str  # "ANY" for all; empty for the $default route
    path: str
    iam: bool = False

    @property
    def key(self) -> str:
        """Return API Gateway's routeKey."""
        return f"{self.method} {self.path}" if self.method else "$default"


@dataclass(frozen=True)
class Function:
    """One AWS::Serverless::Function, its Globals merged in."""

    logical_id: str
    name: str
    arn: str
    folder: Path  # CodeUri
    handler: str  # "module.function", relative to the folder
    timeout: float  # seconds
    memory: int  # MB
    environment: dict[str, str]
    layers: tuple[Path, ...]  # the folder of each
    routes: tuple[Route, ...]
    events: tuple[tuple[str, dict[str, Any]], ...]  # the other event sources: (type, properties)
    alias: str  # AutoPublishAlias: what the routes invoke; empty: the function itself
    properties: dict[str, Any]  # all of them, resolved, for whatever has no field here

    @property
    def log_group(self) -> str:
        """The name of the log group that the function writes to."""
        return str(self.properties.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{self.name}"))


@dataclass(frozen=True)
class TableResource:
    """One AWS::DynamoDB::Table: ``create`` are boto3's create_table arguments."""

    logical_id: str
    name: str
    create: dict[str, Any]
    ttl: str | None  # the attribute that holds the expiry
    backups: dict[str, Any]  # the PointInTimeRecoverySpecification; empty where the template has none


class Template(Document):
    """A template's functions and tables, with SAM's Globals and defaults applied."""

    def functions(self) -> list[Function]:
        """Return every function of the template, in its order."""
        shared = self.resolve(self._body.get("Globals", {}).get("Function", {}))
        api = next(iter(self.resources("AWS::Serverless::HttpApi").values()), {})
        default_authorizer = api.get("Auth", {}).get("DefaultAuthorizer")
        return [
            self._function(name, shared | properties, shared, default_authorizer)
            for name, properties in self.resources("AWS::Serverless::Function").items()
        ]

    def _function(
        self, logical_id: str, properties: dict[str, Any], shared: dict[str, Any], default_authorizer: str | None
    ) -> Function:
        variables = [source.get("Environment", {}).get("Variables", {}) for source in (shared, properties)]
        routes, events = [], []
        for event in properties.get("Events", {}).values():
            kind, details = event["Type"], event.get("Properties", {})
            if kind == "HttpApi":
                iam = details.get("Auth", {}).get("Authorizer", default_authorizer) == "AWS_IAM"
                routes.append(Route(str(details.get("Method", "")).upper(), details.get("Path", ""), iam))
            else:
                events.append((kind, details))
        return Function(
            logical_id=logical_id,
            name=self.reference(logical_id),
            arn=self.attribute(logical_id, "Arn"),
            folder=(self.path.parent / properties["CodeUri"]).resolve(),
            handler=properties["Handler"],
            timeout=float(properties.get("Timeout", DEFAULT_TIMEOUT)),
            memory=int(properties.get("MemorySize", DEFAULT_MEMORY)),
            environment={name: text(value) for each in variables for name, value in each.items()},
            layers=tuple(self._layer(layer) for layer in properties.get("Layers", [])),
            routes=tuple(routes),
            events=tuple(events),
            alias=properties.get("AutoPublishAlias", ""),
            properties=properties,
        )

    def _layer(self, arn: str) -> Path:
        folder: str = self.resources("AWS::Serverless::LayerVersion")[arn.split(":")[-2]]["ContentUri"]
        return (self.path.parent / folder).resolve()

    def tables(self) -> list[TableResource]:
        """Return every table, ready to be created."""
        return [self._table(name, properties) for name, properties in self.resources("AWS::DynamoDB::Table").items()]

    def domain(self) -> str:
        """Return the API's custom domain name; empty where it has none."""
        return str(next(iter(self.resources("AWS::ApiGatewayV2::DomainName").values()), {}).get("DomainName", ""))

    def _table(self, logical_id: str, properties: dict[str, Any]) -> TableResource:
        apart = {"TimeToLiveSpecification", "PointInTimeRecoverySpecification"}  # calls of their own, after creation
        create = {key: value for key, value in properties.items() if key not in apart}
        create["TableName"] = self.reference(logical_id)
        if "StreamSpecification" in create:
            create["StreamSpecification"] = {"StreamEnabled": True, **create["StreamSpecification"]}
        if "SSESpecification" in create:
            encryption = dict(create["SSESpecification"])
            create["SSESpecification"] = {"Enabled": encryption.pop("SSEEnabled"), **encryption}
        expiry = properties.get("TimeToLiveSpecification", {})
        backups = properties.get("PointInTimeRecoverySpecification", {})
        return TableResource(logical_id, create["TableName"], create, expiry.get("AttributeName"), backups)
