"""Every provider there is; the key is what a tenant's setting calls `kind`."""

from . import file, generic_http, twilio
from .base import Provider

PROVIDERS: dict[str, Provider] = {
    "twilio": twilio,
    "generic_http": generic_http,
    "file": file,
}
