"""The JSON Schema says the same as the checks, because both are made from one declaration."""

import json
import tomllib
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from jsonschema import Draft202012Validator

from tests.tenants.config.files import EXAMPLE
from tests.tenants.config.test_refusals import BASE, USER


@pytest.fixture(scope="module")
def schema() -> Any:
    out = StringIO()
    call_command("apply", "--schema", stdout=out)
    return json.loads(out.getvalue())


def as_json(text: str) -> Any:
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def test_the_schema_is_one_and_takes_the_example(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)

    Draft202012Validator(schema).validate(as_json(EXAMPLE))
    Draft202012Validator(schema).validate(as_json(USER))


@pytest.mark.parametrize(
    "text",
    [
        "",
        BASE + "[extra]\n",
        BASE + "plann = 1\n",
        USER + "nickname = 1\n",
        BASE + "[policy]\nmethods_required = true\n",
        BASE + "[policy]\nreconfirm_days = 731\n",
        BASE + '[policy]\nmethods = ["fax"]\n',
        BASE + "[[users]]\n",
        BASE + "[limits]\nfailed_proofs = 6\n",
        USER + 'roles = ["king"]\n',
        USER + "questions = [{ question = 'first_pet' }]\n",
    ],
)
def test_the_schema_refuses_what_the_checks_refuse(schema: Any, text: str) -> None:
    assert not Draft202012Validator(schema).is_valid(as_json(text))


def test_every_key_has_a_description(schema: Any) -> None:
    def undescribed(node: Any) -> list[str]:
        keys = node.get("properties", {})
        found = [name for name, below in keys.items() if not below.get("description")]
        inner = [*keys.values(), *([node["items"]] if "items" in node else [])]
        return found + [name for below in inner for name in undescribed(below)]

    assert undescribed(schema) == []
