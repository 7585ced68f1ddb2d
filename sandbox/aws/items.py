"""What IAM is told of a DynamoDB call: which items by their partition keys, which attributes, and whether all of them.

Source: DynamoDB's developer guide, "Using IAM policy conditions for fine-grained access control".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.aws.iam import ATTRIBUTES, LEADING_KEYS, RETURN_VALUES, SELECT

_READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
_NAME = re.compile(r"(?<![\w.:#\]])#?[A-Za-z_]\w*(?!\w|\s*\()")  # the first of a path; what is before "(" is a function
_KEYWORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"}

Parameters = Mapping[str, Any]
Context = dict[str, tuple[str, ...]]


def of_batch(content: Any) -> dict[str, Any]:
    """Return a table's part of a batch, its items' keys or contents listed as ``Keys``."""
    if isinstance(content, Mapping):
        return dict(content)
    requests = [request for each in content for request in each.values()]
    return {"Keys": [request.get("Item") or request.get("Key") or {} for request in requests]}


def context(action: str, parameters: Parameters, table: Any) -> Context:
    """Return the values of DynamoDB's condition keys for one operation on moto's ``table``."""
    found: Context = {}
    if leading := tuple(sorted(_leading_keys(parameters, table))):
        found[LEADING_KEYS] = leading
    if attributes := tuple(sorted(_attributes(parameters))):
        found[ATTRIBUTES] = attributes
    if action in _READS:
        found[SELECT] = (str(parameters.get("Select") or _selected(parameters)),)
    if "ReturnValues" in parameters:
        found[RETURN_VALUES] = (str(parameters["ReturnValues"]),)
    return found


def _selected(parameters: Parameters) -> str:
    if parameters.get("ProjectionExpression") or parameters.get("AttributesToGet"):
        return "SPECIFIC_ATTRIBUTES"
    return "ALL_PROJECTED_ATTRIBUTES" if "IndexName" in parameters else "ALL_ATTRIBUTES"


def _items(parameters: Parameters) -> list[Parameters]:
    return [one for one in (parameters.get("Key"), parameters.get("Item"), *parameters.get("Keys", [])) if one]


def _leading_keys(parameters: Parameters, table: Any) -> Iterator[str]:
    """Yield the partition keys; a Scan has none, so that a condition for all of them holds, as on AWS."""
    for item in _items(parameters):
        if table.hash_key_attr in item:
            yield str(next(iter(item[table.hash_key_attr].values())))
    names, values = parameters.get("ExpressionAttributeNames", {}), parameters.get("ExpressionAttributeValues", {})
    for name, value in re.findall(r"(#?\w+)\s*=\s*(:\w+)", str(parameters.get("KeyConditionExpression") or "")):
        if names.get(name, name) == _partition_key(table, parameters.get("IndexName")) and value in values:
            yield str(next(iter(values[value].values())))


def _partition_key(table: Any, index: Any) -> str:
    schemas = {one.name: one.schema for one in (*table.indexes, *table.global_indexes)}
    found = [str(part["AttributeName"]) for part in schemas.get(index, []) if part["KeyType"] == "HASH"]
    return found[0] if found else str(table.hash_key_attr)


def _attributes(parameters: Parameters) -> set[str]:
    """Return the top-level attributes that the request names; what the response holds beside them doesn't count."""
    aliases = parameters.get("ExpressionAttributeNames", {})
    text = " , ".join(str(value) for key, value in parameters.items() if key.endswith("Expression"))
    named = {aliases.get(name, name) for name in _NAME.findall(text) if name.upper() not in _KEYWORDS}
    return named.union(parameters.get("AttributesToGet", []), *_items(parameters))
