"""A stock Django site as `startproject` makes it, with Django's own mailed reset and allauth's.

BENCH_HASH: `shipped` leaves Django's default (PBKDF2), `argon2id` takes the product's own hasher,
`md5` takes the hash away. Connections are kept, which Django does not do by default: everything
here is as favourable to it as the product is to itself.
"""

import os

import environ

from .counting import count_hashes

SECRET_KEY = os.environ["SSPR_SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["*"]
DATABASES = {
    "default": {**environ.Env.db_url_config(os.environ["STOCK_DATABASE_URL"]), "CONN_MAX_AGE": 300}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "benchmarks.sites.stock_urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
_HASHERS = {
    "argon2id": ["accounts.passwords.hashing.OwaspArgon2PasswordHasher"],
    "md5": ["django.contrib.auth.hashers.MD5PasswordHasher"],
}
if os.environ.get("BENCH_HASH") in _HASHERS:
    PASSWORD_HASHERS = _HASHERS[os.environ["BENCH_HASH"]]
count_hashes(os.environ.get("BENCH_HASH_COUNTER", ""))

ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
# Its limits would refuse a client with one address.
ACCOUNT_RATE_LIMITS = False

_mail = environ.Env.email_url_config(os.environ.get("EMAIL_URL") or "dummymail://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail.get("EMAIL_HOST", ""), _mail.get("EMAIL_PORT", 25)
DEFAULT_FROM_EMAIL = "no-reply@bench.test"
USE_TZ = True
LANGUAGE_CODE = "en-us"
USE_I18N = True
STATIC_URL = "static/"
