"""Made-up accounts at providers."""

from typing import Any

TWILIO_ACCOUNT = "AC" + "0" * 31 + "7"
TWILIO_TOKEN = "made-up-token"


def twilio(base_url: str, **more: str) -> dict[str, Any]:
    return {
        "account_sid": TWILIO_ACCOUNT,
        "auth_token": TWILIO_TOKEN,
        "from": "+14255550100",
        "base_url": base_url,
        **more,
    }


def generic(url: str, **more: Any) -> dict[str, Any]:
    return {
        "url": url,
        "body": {"to": "{to}", "message": "{text}"},
        "auth_header": "Authorization",
        "auth_value": "Bearer made-up-secret",
        **more,
    }
