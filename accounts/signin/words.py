"""Short texts of the pages of people who sign in."""

from django.utils.translation import gettext_lazy as _

PASSWORD_NAME = _("Password")
