"""All settings, each from the environment with a safe default; the table in docs/settings.md names every one."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from livingcity.dev.places import data_dir, database_settings, redis_url, secret_key, socket_dir

ROOT = Path(__file__).resolve().parents[2]
DATA_DIR = data_dir()

# --- the environment ---------------------------------------------------------------------------------------------
PORT = int(port) if (port := os.environ.get("PORT", "8000")).isdecimal() else -1
if not 0 <= PORT <= 65535:
    raise ImproperlyConfigured(f"PORT must be a number from 1 to 65535, not “{port}”.")
PUBLIC_URL = os.environ.get("PUBLIC_URL", f"http://localhost:{PORT}").rstrip("/")
USER_CONTENT_URL = os.environ.get("USER_CONTENT_URL", "").rstrip("/")
DEMO = os.environ.get("LIVINGCITY_DEMO", "1") != "0"
#: The private networks in which the relays of labs stand (docs/interlocks.md); the city reaches into no other.
INTERLOCK_NETWORKS = [text for text in os.environ.get("INTERLOCK_NETWORKS", "").replace(",", " ").split() if text]
#: The city's broker (docs/mqtt.md), the address that devices are told, the folder of its password and access files.
MQTT_URL = os.environ.get("MQTT_URL", "")
MQTT_PUBLIC_URL = os.environ.get("MQTT_PUBLIC_URL", "")
MQTT_ACCOUNTS = Path(os.environ.get("MQTT_ACCOUNTS") or DATA_DIR / "mqtt").resolve()
WARM_WORKERS = os.environ.get("WARM_WORKERS") == "1"
DEBUG = os.environ.get("DEBUG") == "1"
HTTPS = urlsplit(PUBLIC_URL).scheme == "https"
#: How many proxies of our own stand before the city and add to X-Forwarded-For.
PROXIES = int(_hops) if (_hops := os.environ.get("PROXIES", "1" if HTTPS else "0")).isdecimal() else -1
if not 0 <= PROXIES <= 9:
    raise ImproperlyConfigured(f"PROXIES must be a number from 0 to 9, not “{_hops}”.")
SECRET_KEY = secret_key()
SECRET_KEY_FALLBACKS = os.environ.get("SECRET_KEY_FALLBACKS", "").split()
ALLOWED_HOSTS = [
    *filter(None, os.environ.get("ALLOWED_HOSTS", "").split(",")),
    urlsplit(PUBLIC_URL).hostname or "localhost",
    "localhost",
    "127.0.0.1",
    "[::1]",
]

# --- what the house is made of -----------------------------------------------------------------------------------
ROOMS = [r for r in os.environ.get("LIVINGCITY_ROOMS", "designs,energy,labs,twin").split(",") if r]

INSTALLED_APPS = [
    "livingcity",
    "livingcity.backups",
    "commons.web",
    "commons.people",
    "commons.places",
    "commons.devices",
    "commons.runs",
    "commons.notices",
    "commons.reports",
    "commons.decisions",
    "commons.opendata",
    "commons.dashboards",
    "commons.activity",
    "commons.mine",
    "commons.audit",
    "commons.owndata",
    "commons.watching",
    *ROOMS,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "django_htmx",
    "django_vite",
]

MIDDLEWARE = [
    "commons.watching.middleware.watched",
    "commons.web.walls.walls",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "commons.web.walls.library_pages",
    "commons.web.middleware.problem_json",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "commons.web.lately.lately",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "commons.web.middleware.local_time",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "commons.web.middleware.idempotency",
    "commons.people.sessions.seen",
    "commons.audit.middleware.audit",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "livingcity.urls"
WSGI_APPLICATION = "livingcity.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "commons.web.context.page",
            ],
            "builtins": ["commons.web.templatetags.city", "commons.web.templatetags.numbers"],
        },
    }
]

# --- what holds the truth ----------------------------------------------------------------------------------------
DATABASES: dict[str, Any] = {"default": database_settings()}
#: What the database may take for a request of the web, in seconds (livingcity.patience).
WEB_STATEMENT_TIMEOUT_S = int(os.environ.get("WEB_STATEMENT_TIMEOUT_S", "60"))
WEB_LOCK_TIMEOUT_S = 10
WEB_IDLE_TRANSACTION_TIMEOUT_S = 300
REDIS_URL = redis_url()
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url(db=1)}}
#: For how many seconds pages that all strangers see alike may be kept while nothing is written; 0: none is.
PAGES_KEPT_S = float(os.environ.get("PAGES_KEPT_S", "5"))
#: Where the process `ingest` listens for the web server; elsewhere when they share no /tmp.
INGEST_SOCKET = Path(os.environ.get("INGEST_SOCKET") or socket_dir() / "ingest.sock")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REPOSITORIES_DIR = DATA_DIR / "repositories"
LFS_DIR = DATA_DIR / "lfs"
LFS_MAX_BYTES = int(os.environ.get("LFS_MAX_MB", "2000")) * 1_000_000
OWNER_QUOTA_BYTES = int(os.environ.get("OWNER_QUOTA_MB", "5000")) * 1_000_000
#: Nothing that sends files may take the disk below this.
DISK_RESERVE_BYTES = int(os.environ.get("DISK_RESERVE_MB", "300")) * 1_000_000
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"

#: Where backups are kept; empty: none are made by the clock (docs/backup.md).
BACKUP_TO = os.environ.get("BACKUP_TO", "")
BACKUP_EVERY_HOURS = float(os.environ.get("BACKUP_EVERY_HOURS", "24"))
BACKUP_KEEP = int(os.environ.get("BACKUP_KEEP", "7"))
BACKUP_DRILL_DAYS = float(os.environ.get("BACKUP_DRILL_DAYS", "7"))

# --- work --------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = redis_url(celery=True)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A ring is short-lived by design: a run's lease, not the broker, decides who works on it.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
}
# What beat rings stands in code (each app's `BEAT`, gathered in livingcity.celery). It rings everything once when it
# starts, so it needs no file to remember by, which `kill -9` would break.
CELERY_BEAT_SCHEDULER = "livingcity.clock:Clock"
CELERY_BEAT_SCHEDULE: dict[str, Any] = {}
CELERY_DB_REUSE_MAX = 1000
CELERY_TIMEZONE = "UTC"
QUEUES = ["default", "previews", "simulations", "ingest"]

# --- people ------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "commons.people.guarding.OncePerName",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_USERNAME_VALIDATORS = "commons.people.handles.username_validators"
ACCOUNT_ADAPTER = "commons.people.adapter.AccountAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
ACCOUNT_PREVENT_ENUMERATION = "strict"
# What axes counts for an account stays with axes: a limit for an account alone would shut its owner out.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
AXES_FAILURE_LIMIT = 12
AXES_COOLOFF_TIME = 1
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "commons.people.guarding.account_of"
AXES_CLIENT_IP_CALLABLE = "commons.people.guarding.network"
AXES_LOCKOUT_CALLABLE = "commons.people.guarding.locked_out"
ACCOUNT_PRESERVE_USERNAME_CASING = False
AXES_DISABLE_ACCESS_LOG = True  # it keeps addresses as they were asked for, one-time links too; ours is commons.audit
AXES_ENABLE_ADMIN = False

# --- the API -----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": (
        "commons.people.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ),
    "DEFAULT_PERMISSION_CLASSES": ("commons.web.api.DenyAll",),
    "DEFAULT_PAGINATION_CLASS": "commons.web.api.CursorPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "commons.web.schema.CitySchema",
    "DEFAULT_RENDERER_CLASSES": ("rest_framework.renderers.JSONRenderer",),
    "DEFAULT_PARSER_CLASSES": ("commons.web.parsers.Json",),
    "EXCEPTION_HANDLER": "commons.web.problems.exception_handler",
    "DEFAULT_FILTER_BACKENDS": ("django_filters.rest_framework.DjangoFilterBackend",),
    "DEFAULT_THROTTLE_CLASSES": ("commons.web.api.AnonymousThrottle", "commons.web.api.PrincipalThrottle"),
    "DEFAULT_THROTTLE_RATES": {"anon": "600/min", "user": "3000/min"},
    "NUM_PROXIES": PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Living City",
    "DESCRIPTION": "Designs, labs, energy and the city twin. Times are ISO 8601 UTC, energy in kWh, power in W, "
    "length in mm.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "commons.web.schema.null_once"],
    "ENUM_NAME_OVERRIDES": {
        "PreviewStatusEnum": [(word, word) for word in ("ready", "pending", "failed", "none")],
        "ComparedKindEnum": [(word, word) for word in ("solid", "drawing", "image", "table", "text")],
        **(
            {
                "MachineKindEnum": "labs.models.Machine.Kind",
                "LabStatusEnum": "labs.models.Lab.Status",
                "LabTieKindEnum": "labs.models.LabTie.Kind",
                "OrderStatusEnum": "labs.models.MakeOrder.Status",
            }
            if "labs" in ROOMS
            else {}
        ),
        **(
            {
                "MemberKindEnum": "energy.models.Member.Kind",
                "CommunityKindEnum": "energy.models.Community.Kind",
                "AssetKindEnum": "energy.models.Asset.Kind",
            }
            if "energy" in ROOMS
            else {}
        ),
        "CommandKindEnum": "commons.devices.models.Command.Kind",
        "SteeringEnum": [(word, word) for word in ("send", "pause", "resume", "cancel")],
        "PlaceKindEnum": "commons.places.models.Place.Kind",
        **(
            {
                "TrafficMethodEnum": "twin.models.Traffic.Method",
                "ScenarioDepthEnum": "twin.models.ScenarioResult.Depth",
            }
            if "twin" in ROOMS
            else {}
        ),
        "FigureGroupEnum": [(word, word) for word in ("energy", "traffic", "access", "carbon", "risk")],
        **({"PhotoStatusEnum": "designs.models.MakePhoto.State"} if "designs" in ROOMS else {}),
    },
}

# --- languages, time ---------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fi", "Suomi")]
LOCALE_PATHS = [ROOT / "platform" / "livingcity" / "locale"]
FORMAT_MODULE_PATH = ["livingcity.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- static files ------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
VITE_DIST = ROOT / "platform" / "livingcity" / "static" / "dist"
DJANGO_VITE = {
    "default": {"dev_mode": False, "manifest_path": VITE_DIST / "manifest.json", "static_url_prefix": "dist"}
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dist/assets/"

# --- the walls ---------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": [NONCE, "'strict-dynamic'", "'wasm-unsafe-eval'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
        "object-src": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
if HTTPS:  # a neighbour on a subdomain, or somebody on the way, cannot set these
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 500

# --- mail, log ---------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
if _mail := os.environ.get("EMAIL_URL"):
    _m = urlsplit(_mail)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _m.hostname or "localhost", _m.port or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _m.username or "", _m.password or ""
    EMAIL_USE_TLS, EMAIL_USE_SSL = _m.scheme == "smtp+tls", _m.scheme == "smtps"
DEFAULT_FROM_EMAIL = os.environ.get("FROM_EMAIL", "Living City <city@localhost>")
#: `json`: each line of the log is a document, and each request leaves one; for people it would be too much.
LOG_FORMAT = "json" if os.environ.get("LOG_FORMAT") == "json" else "line"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"trace": {"()": "commons.watching.logs.WithTrace"}},
    "formatters": {
        "line": {
            "()": "commons.web.masking.MaskedFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s%(trace)s",
        },
        "json": {"()": "commons.watching.logs.Json"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["trace"]},
        "faults": {"class": "commons.watching.shared.Faults", "level": "ERROR"},
    },
    "root": {"handlers": ["console", "faults"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        "city.requests": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
    },
}
#: Who may read `/metrics` from elsewhere; without it only this machine may.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
SILENCED_SYSTEM_CHECKS: list[str] = []
SITE_NAME = _("Living City")
