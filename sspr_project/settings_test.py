"""The product's settings with what tests change."""

from .settings import *  # noqa: F403 - the one star import allowed

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
