"""Settings, every one from the environment (docs/configuration.md); unsafe ones stop production."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF

from .env import (
    env_choice,
    env_hosts,
    env_key,
    env_list,
    env_networks,
    env_raw_key,
    env_raw_keys,
    env_signed_keys,
    env_text,
    env_url,
    env_zone,
    stop,
)

BASE_DIR = Path(__file__).resolve().parent.parent
SSPR_ENV = env_choice("SSPR_ENV", ("development", "production"), "development")
PRODUCTION = SSPR_ENV == "production"
DEBUG = False

SECRET_KEY = env_key(
    "SSPR_SECRET_KEY",
    production=PRODUCTION,
    development_default="development only: not a secret, never used in production",
)
SECRET_KEY_FALLBACKS = env_list("SSPR_SECRET_KEY_FALLBACKS")
SSPR_MASTER_KEY = env_key(
    "SSPR_MASTER_KEY",
    production=PRODUCTION,
    development_default="development only: master key of nothing that matters",
)
# The signer's own key belongs into the environment of the signer alone; its public keys, now and
# next, into everybody's, because agents are told them when they are enrolled.
SSPR_SIGNER_KEY = env_raw_key("SSPR_SIGNER_KEY")
SSPR_SIGNER_PUBLIC_KEYS = env_raw_keys("SSPR_SIGNER_PUBLIC_KEYS")
SSPR_SIGNER_SUCCESSORS = env_signed_keys("SSPR_SIGNER_SUCCESSORS")
# Directories that the product may reach itself, by host and port; Microsoft's own are known.
SSPR_DIRECT_HOSTS = env_hosts("SSPR_DIRECT_HOSTS")
SSPR_DIRECT_TEST = False
# Whoever shows it may read /metrics; without one there is no such page.
SSPR_METRICS_TOKEN = env_key("SSPR_METRICS_TOKEN", production=False, development_default="")
SSPR_BASE_URL = env_url("SSPR_BASE_URL", ("http", "https"), "http://localhost:8000").rstrip("/")
if PRODUCTION and not SSPR_BASE_URL.startswith("https://"):
    stop("SSPR_BASE_URL", "production needs an https:// address")
SECURE = SSPR_BASE_URL.startswith("https://")
SSPR_TRUSTED_PROXIES = env_networks("SSPR_TRUSTED_PROXIES")
SSPR_OUTBOX_DIR = env_text("SSPR_OUTBOX_DIR")
SSPR_BREACHED_FILE = env_text("SSPR_BREACHED_FILE")
SSPR_MAIL_FROM = env_text("SSPR_MAIL_FROM", "no-reply@localhost")
# Push services beside those of the well-known browsers; ".example" stands for all below it.
SSPR_PUSH_HOSTS = tuple(host.lower() for host in env_list("SSPR_PUSH_HOSTS"))
# Shows the file outbox and the codes of demo people as pages; only `manage.py demo` sets it.
SSPR_DEMO = env_text("SSPR_DEMO") == "1"
if PRODUCTION and SSPR_DEMO:
    stop("SSPR_DEMO", "the demo pages show codes; they are not for production")
if PRODUCTION and SSPR_OUTBOX_DIR:
    stop("SSPR_OUTBOX_DIR", "a file outbox holds one-time codes; it is not for production")

# Tenants' hosts are rows; `tenants.middleware` answers 404 for a host that nobody owns.
ALLOWED_HOSTS = ["*"]
SSPR_SHARED_HOSTS = frozenset(
    host.lower() for host in env_list("SSPR_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
)
if PRODUCTION and "*" in SSPR_SHARED_HOSTS:
    stop("SSPR_ALLOWED_HOSTS", "name the shared host names; * is not for production")
USE_X_FORWARDED_HOST = False

DATABASE_URL = env_url(
    "DATABASE_URL", ("postgres", "postgresql", "sqlite"), f"sqlite:///{BASE_DIR / 'sspr.sqlite3'}"
)
DATABASE_OWNER_URL = env_url("DATABASE_OWNER_URL", ("postgres", "postgresql"))
DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    if PRODUCTION:
        stop("DATABASE_URL", "production needs PostgreSQL; SQLite has no row-level security")
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 300
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    if env_choice("SSPR_PREPARED_STATEMENTS", ("on", "off"), "on") == "on":
        # The server plans a statement once a connection, not each time it is sent.
        DATABASES["default"].setdefault("OPTIONS", {}).update(
            server_side_binding=True, prepare_threshold=1
        )
if DATABASE_OWNER_URL:
    # The owner of the tables: migrations only (`manage.py migrate` uses it by itself).
    DATABASES["owner"] = environ.Env.db_url_config(DATABASE_OWNER_URL)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

EMAIL_URL = env_url(
    "EMAIL_URL", ("smtp", "smtp+tls", "smtp+ssl", "smtps", "consolemail", "filemail"), ""
)
if EMAIL_URL:
    _email = environ.Env.email_url_config(EMAIL_URL)
    EMAIL_BACKEND = _email["EMAIL_BACKEND"]
    EMAIL_HOST, EMAIL_PORT = _email.get("EMAIL_HOST", ""), _email.get("EMAIL_PORT", 25)
    EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER", "") or ""
    EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD", "") or ""
    EMAIL_USE_TLS, EMAIL_USE_SSL = (
        _email.get("EMAIL_USE_TLS", False),
        _email.get("EMAIL_USE_SSL", False),
    )
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = SSPR_MAIL_FROM

INSTALLED_APPS = [
    "resets",
    "writeback",
    "accounts",
    "notifications",
    "tenants",
    "sspr_project",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "csp",
]
MIDDLEWARE = [
    "sspr_project.http.HeadersMiddleware",
    "sspr_project.http.SizeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.middleware.TenantMiddleware",
    "sspr_project.http.AdminSessionMiddleware",
    "sspr_project.language.LanguageMiddleware",
    "sspr_project.http.OriginMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sspr_project.http.AdminMessageMiddleware",
]
ROOT_URLCONF = "sspr_project.urls"
WSGI_APPLICATION = "sspr_project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "sspr_project.flat_templates.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "string_if_invalid": "",
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.signin.backend.TenantBackend"]
PASSWORD_HASHERS = ["accounts.passwords.hashing.OwaspArgon2PasswordHasher"]
LOGIN_URL = "sign-in:sign-in"
SESSION_ENGINE = "accounts.signin.sessions"
SESSION_COOKIE_AGE = 8 * 60 * 60
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# Over plain http in development only the Secure flag and the prefix that needs it are missing.
_prefix = "__Host-" if SECURE else ""
SESSION_COOKIE_NAME = f"{_prefix}sspr_session"
CSRF_COOKIE_NAME = f"{_prefix}sspr_csrf"
FLOW_COOKIE_NAME = f"{_prefix}sspr_flow"
BROWSER_COOKIE_NAME = f"{_prefix}sspr_browser"
WAIT_COOKIE_NAME = f"{_prefix}sspr_wait"
LANGUAGE_COOKIE_NAME = f"{_prefix}sspr_language"
MESSAGES_COOKIE_NAME = f"{_prefix}sspr_messages"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Lax: an application that sends people here to sign in finds them signed in. Every change still
# needs the form's token and the same origin.
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "sspr_project.errors.forbidden"
CSRF_COOKIE_AGE = None
SECURE_HSTS_SECONDS = 2 * 365 * 24 * 3600 if SECURE else 0
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if SECURE and SSPR_TRUSTED_PROXIES else None
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# The widest form of the administration sites; everywhere else `limits.MAX_FIELDS` holds.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 1
# Files that people upload hold personal data: they stay in memory and never touch a disk. How big
# a body may be is judged by the middleware before it is read.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 11 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "worker-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

USE_TZ = True
TIME_ZONE = env_zone("SSPR_TIME_ZONE", "UTC")
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("es", "Español"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("ar", "العربية"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # a user ID is unique within its tenant, and its domain belongs to one tenant
    "security.W019",  # no page can be framed: frame-ancestors 'none' in the policy
    "security.W003",  # the check looks for Django's middleware; ours is a subclass of it
]
LOGGING_CONFIG = "sspr_project.logs.configure"
LOGGING = {"by": LOGGING_CONFIG}  # must not be empty, or it is never called
