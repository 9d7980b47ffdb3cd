"""The OpenAPI document itself: valid, complete, and as strict as the code behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from schemathesis.specs.openapi.definitions import OPENAPI_31
from tests.contract.openapi.document import openapi_document

from xinzu.platform.http.problems import MEDIA_TYPE


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in openapi_document()["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from _objects(member)
    elif isinstance(value, list):
        for member in value:
            yield from _objects(member)


def test_it_is_a_valid_openapi_3_1_document() -> None:
    document = openapi_document()
    assert document["openapi"].startswith("3.1.")
    errors = [
        f"{list(error.instance_path)}: {error.message}"
        for error in jsonschema_rs.Draft202012Validator(OPENAPI_31).iter_errors(document)
    ]
    assert errors == []
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_reference_leads_somewhere() -> None:
    document = openapi_document()
    names = {found["$ref"] for found in _objects(document) if isinstance(found.get("$ref"), str)}
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert names - known == set()


def test_every_operation_has_a_name_of_its_own_a_tag_and_a_success() -> None:
    operations = list(_operations())
    ids = [operation["operationId"] for _, operation in operations]
    assert len(ids) == len(set(ids))
    assert [name for name, operation in operations if not operation.get("tags")] == []
    assert [name for name, operation in operations if not any(status < "300" for status in operation["responses"])] == []


def test_every_refusal_is_described_as_a_problem() -> None:
    wrong = [
        f"{name} {status}"
        for name, operation in _operations()
        for status, response in operation["responses"].items()
        if status >= "400" and list(response["content"]) != [MEDIA_TYPE]
    ]
    assert wrong == []


def test_bodies_are_closed_and_their_texts_and_numbers_bounded() -> None:
    document = openapi_document()
    schemas = document["components"]["schemas"]
    open_ended: list[str] = []
    for name, operation in _operations():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        reference = content.get("schema", {}).get("$ref")
        if reference is None or "/callbacks/" in name:  # providers may add members to what they send
            continue
        schema = schemas[reference.rsplit("/", 1)[1]]
        if schema.get("additionalProperties") is not False:
            open_ended.append(f"{name}: takes unknown fields")
        for field, member in schema["properties"].items():
            options = [member, *member.get("oneOf", [])]
            kinds = {option.get("type") for option in options}
            texts = [option for option in options if option.get("type") == "string"]
            if any(not {**member, **text}.keys() & {"maxLength", "enum", "const", "format", "pattern"} for text in texts):
                open_ended.append(f"{name}: {field} may be of any length")
            if "integer" in kinds and not member.keys() & {"maximum", "enum"}:
                open_ended.append(f"{name}: {field} may be of any size")
    assert open_ended == []
