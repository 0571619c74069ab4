"""All settings, read from the environment, `.env` and the data directory; README lists them."""

import os
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from adminset import env, keyring

BASE_DIR = Path(__file__).resolve().parent.parent
env.load(BASE_DIR / ".env")
DATA_DIR = Path(env.text("ADMINSET_DATA_DIR", str(BASE_DIR / "var"))).resolve()
# What `make up` started: lets `manage.py` in another terminal find the same Redis and MongoDB.
env.load(DATA_DIR / "run" / "services.env")

# ---- Who we are
DEBUG = env.boolean("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY") or keyring.read_or_make(
    DATA_DIR / "secrets" / "secret_key", keyring.new_secret_key()
)
try:
    ENCRYPTION_KEYS = keyring.open_ring(
        env.text("ADMINSET_ENCRYPTION_KEYS"),
        os.environ.get("ADMINSET_ENCRYPTION_KEYS_FILE", ""),
        DATA_DIR / "secrets" / "encryption_keys",
    )
except ValueError as error:
    raise ImproperlyConfigured(
        f"ADMINSET_ENCRYPTION_KEYS cannot be used: {error}."
    ) from error
# Seals the audit trail (docs/audit.md). Not made from SECRET_KEY: that one may be changed at any time.
_audit_ring = env.text("ADMINSET_AUDIT_KEYS") or keyring.read_or_make(
    DATA_DIR / "secrets" / "audit_keys", keyring.new_encryption_key()
)
try:
    AUDIT_KEYS = keyring.parse_ring(_audit_ring)
except ValueError as error:
    raise ImproperlyConfigured(
        f"ADMINSET_AUDIT_KEYS cannot be used: {error}."
    ) from error
# Where the trail's last seal is written each day; empty: nowhere.
AUDIT_ANCHOR_FILE = env.text(
    "ADMINSET_AUDIT_ANCHOR_FILE", str(DATA_DIR / "audit" / "anchors.jsonl")
)
PORT = env.integer("PORT", 8000, least=1, most=65535)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])
HTTPS = env.boolean("ADMINSET_HTTPS", False)
TRUSTED_PROXIES = env.networks("ADMINSET_TRUSTED_PROXIES")

# ---- Rooms
INSTALLED_APPS = [
    "adminset",
    "accounts",
    "cmdb",
    "appconf",
    "tasks",
    "monitor",
    "delivery",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_celery_beat",
    "django_filters",
    "django_tables2",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "channels",
    "csp",
]
MIDDLEWARE = [
    "adminset.middleware.request_context",
    "monitor.prometheus.counters.count_requests",
    "adminset.admission.allowed_networks",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.watch_session",
    "adminset.middleware.user_preferences",
    "adminset.admission.maintenance_mode",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "adminset.middleware.parts_apart",
    "accounts.duties.DutiesFirst",
    "adminset.middleware.domain_errors",
]
ROOT_URLCONF = "adminset.urls"
ASGI_APPLICATION = "adminset.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "adminset.navigation.context",
                "adminset.navigation.maintenance_state",
            ],
            "builtins": ["adminset.templatetags.ui", "django.templatetags.i18n"],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# ---- Stores
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
DATABASES = {
    "default": dj_database_url.parse(
        env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'db' / 'adminset.sqlite3'}"),
        conn_max_age=env.integer("DATABASE_CONN_MAX_AGE", 0),
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
if DATABASES["default"]["ENGINE"].endswith("mysql"):
    import pymysql

    pymysql.version_info = (2, 2, 1, "final", 0)
    pymysql.install_as_MySQLdb()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
MONGO_URL = env.text("MONGO_URL", "mongodb://127.0.0.1:27017/")
MONGO_DATABASE = env.text("MONGO_DATABASE", "adminset")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "adminset",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
}

# ---- Work in the background
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Redelivery is never relied on: a run is claimed in the database and keeps a lease.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 12 * 3600,
    "socket_connect_timeout": 3,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "adminset"
# A run holds its place for as long as it goes on: it must not keep the short tasks waiting.
RUN_QUEUE = "runs"
# What undoes a delivery waits for no other run; fetching, building and packing are done on the portal's machine.
URGENT_QUEUE = "urgent"
DELIVERY_QUEUE = "delivery"
# Pages wait for the answers: no build, no run and no short task stands before them, and of requests for deploys few at once.
QUESTION_QUEUE = "questions"
CELERY_TASK_ROUTES = {"tasks.run_run": {"queue": RUN_QUEUE}}
CELERY_BEAT_SCHEDULER = "adminset.beat:PortalScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
WORKER_CONCURRENCY = env.integer("ADMINSET_WORKER_CONCURRENCY", 4, least=1, most=256)

# ---- People
from adminset.settings_access import *  # noqa: E402,F403 - its own file for the length of this one; after env.load
from adminset.settings_beat import *  # noqa: E402,F403 - the same
from adminset.settings_doors import *  # noqa: E402,F403 - the same; doors for other programs

AUTH_USER_MODEL = "accounts.User"
PERMISSION_EXPLAINER = "accounts.explain.refusal"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.RoleBackend",
    "accounts.backends.LdapBackend",
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {
            "min_length": env.integer("ADMINSET_PASSWORD_MIN_LENGTH", 10, least=8)
        },
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.breached.BreachedPasswordValidator"},
]

# ---- Languages and time
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", ("en", "zh-hans"))
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True

# ---- Files
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "adminset.static_files.HashedStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

# ---- Safety in the browser
SELF = "'self'"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": ["'none'"],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
        "report-uri": "/csp-report/",
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    # A cookie of this name comes from this very host over TLS, or not at all: no other host of the domain can plant it.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_SSL_REDIRECT = HTTPS and env.boolean("ADMINSET_HTTPS_REDIRECT", True)
# Probes and the agent of this very machine come over loopback, past the proxy that speaks TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^api/agent/"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
)
CSRF_FAILURE_VIEW = "adminset.views.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = env.integer("ADMINSET_UPLOAD_BYTES", 16 * 2**20)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# ---- REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api_authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["adminset.crud.rest.ResourcePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["adminset.crud.parsing.BoundedJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "adminset.crud.rest.Pagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "adminset.crud.rest.answer_error",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AdminSet",
    "VERSION": "1",
    "DESCRIPTION": "The same objects as on the pages, with the same rules and permissions.",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "adminset.crud.openapi.declare_errors",
    ],
    "ENUM_NAME_OVERRIDES": {
        "HostKindEnum": "cmdb.models.Host.Kind",
        "AssetColourEnum": "cmdb.models.AssetStatus.State",
        "CdnStateEnum": "cmdb.models.CdnDomain.State",
        "NicStateEnum": "cmdb.models.Nic.State",
        "ServiceStateEnum": "monitor.watched_models.State",
        "ConfigDriftStateEnum": "delivery.models.ConfigDrift.State",
        "ConfigPushKindEnum": "delivery.models.ConfigPush.Kind",
        "ConfigPushStatusEnum": "delivery.models.ConfigPush.Status",
        "ConfigVersionStatusEnum": "appconf.models.ConfigVersion.Status",
        "WorkKindEnum": "tasks.models.Work.Kind",
        "RunHostStatusEnum": "tasks.models.RunHost.Status",
        "RunKindEnum": "tasks.models.Run.Kind",
        "RunStatusEnum": "tasks.models.Run.Status",
        "ScriptLanguageEnum": "tasks.models.Work.Language",
        "TerminalStateEnum": "tasks.models.TerminalSession.State",
        "DeployStatusEnum": "delivery.models.Deploy.Status",
        "DeployKindEnum": "delivery.models.Deploy.Kind",
        "DeployRefKindEnum": "delivery.models.Deploy.RefKind",
        "DeployHostStatusEnum": "delivery.models.DeployHost.Status",
        "DeployStepKindEnum": "delivery.models.DeployStep.Kind",
        "DeployStepStatusEnum": "delivery.models.DeployStep.Status",
        "DeployScheduleRefKindEnum": "delivery.trigger_models.DeploySchedule.REF_CHOICES",
        "DeployPauseEnum": "delivery.way_models.Way.Pause",
        "SetPlaceRefKindEnum": "delivery.set_models.SetPlace.REF_CHOICES",
        "SetPartStateEnum": "delivery.models.SetPart.State",
        "SetRunStateEnum": "delivery.models.SetRun.State",
        "WorkPauseEnum": "tasks.work_models.Work.PauseAfter",
    },
}
DJANGO_TABLES2_TEMPLATE = "generic/_table.html"
DJANGO_TABLES2_PAGE_RANGE = 7
from adminset.settings_applications import *  # noqa: E402, F403 - it reads the environment that is loaded above
from adminset.settings_config import *  # noqa: E402, F403 - it reads the environment that is loaded above
from adminset.settings_delivery import *  # noqa: E402, F403 - it reads the environment that is loaded above
from adminset.settings_files import *  # noqa: E402, F403 - it reads the environment that is loaded above
from adminset.settings_ingest import *  # noqa: E402, F403 - it reads the environment that is loaded above
from adminset.settings_terminal import *  # noqa: E402, F403 - likewise
from adminset.settings_work import *  # noqa: E402, F403 - it reads the environment that is loaded above

if ROLE == "ingest":  # noqa: F405 - of settings_ingest
    # Agents only: no pages, no sessions, no cookies.
    ROOT_URLCONF = INTAKE_URLCONF  # noqa: F405 - likewise
    MIDDLEWARE = [
        "adminset.middleware.request_context",
        "monitor.prometheus.counters.count_requests",
        "adminset.admission.allowed_networks",
        "django.middleware.security.SecurityMiddleware",
        "adminset.admission.maintenance_for_all",
        "adminset.middleware.domain_errors",
    ]

RUN_DIR = DATA_DIR / "runs"
TERMINAL_DIR = DATA_DIR / "terminals"
LIBRARY_DIR = DATA_DIR / "library"
BUILD_DIR = DATA_DIR / "builds"
ARTEFACTS_DIR = DATA_DIR / "artefacts"
if ARTEFACTS_FOLDER:  # noqa: F405 - of settings_delivery
    ARTEFACTS_DIR = Path(ARTEFACTS_FOLDER)  # noqa: F405 - likewise

PACKAGES_DIR = DATA_DIR / "packages"
if PACKAGES_FOLDER:  # noqa: F405 - of settings_applications
    PACKAGES_DIR = Path(PACKAGES_FOLDER)  # noqa: F405 - likewise

# ---- Log lines as key=value on standard error: the process manager keeps them
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "adminset.logs.RequestFilter"}},
    "formatters": {"line": {"()": "adminset.logs.LineFormatter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    # uvicorn brings handlers of its own, which would write tracebacks past our masks.
    "loggers": {
        "uvicorn": {"propagate": True},
        # Requests are logged by whoever stands in front; --no-access-log alone is undone by the line above.
        "uvicorn.access": {"propagate": False, "handlers": []},
    },
}
DEFAULT_EXCEPTION_REPORTER = "adminset.error_reports.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "adminset.error_reports.ReportFilter"
APPLICATION_NAME = _("AdminSet")
