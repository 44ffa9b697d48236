"""Entry point of a WSGI server, e.g. `gunicorn sspr_project.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

# gunicorn gives up when a worker ends with this code; after any other it starts the next one.
WORKER_BOOT_ERROR = 3

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sspr_project.settings")
try:
    application = get_wsgi_application()

    from tenants.checks import refuse_unsafe_start

    refuse_unsafe_start()
except SystemExit:
    raise SystemExit(WORKER_BOOT_ERROR) from None
