"""PURE. Countries as a policy names them: ISO 3166-1, those that have telephone numbers."""

import phonenumbers

COUNTRIES = tuple(sorted(phonenumbers.SUPPORTED_REGIONS))
