"""Entry point of a WSGI server, e.g. `gunicorn sspr_project.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sspr_project.settings")
application = get_wsgi_application()
