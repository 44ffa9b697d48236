#!/usr/bin/env python3
"""Django's command line."""

import os
import sys

SERVING = ("runserver", "work")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sspr_project.settings")
    from django.core.management import execute_from_command_line

    if sys.argv[1:2] and sys.argv[1] in SERVING:
        _refuse_unsafe_start()
    execute_from_command_line(sys.argv)


def _refuse_unsafe_start() -> None:
    import django

    django.setup()
    from tenants.checks import refuse_unsafe_start

    refuse_unsafe_start()


if __name__ == "__main__":
    main()
