"""The unit of the figures: a view that asks the database one thing."""

from django.db import connection
from django.http import HttpRequest, HttpResponse


def pingdb(request: HttpRequest) -> HttpResponse:
    """One look-up by an indexed column, through the same middleware as every page."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM django_content_type WHERE app_label = %s AND model = %s",
            ["contenttypes", "contenttype"],
        )
        cursor.fetchone()
    return HttpResponse("ok\n", content_type="text/plain")
