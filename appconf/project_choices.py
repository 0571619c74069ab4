"""What an application can be written in, be and run in."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Language(models.TextChoices):
    """In what it is written."""

    JAVA = "java", "Java"
    PHP = "php", "PHP"
    PYTHON = "python", "Python"
    GO = "go", "Go"
    NODE = "node", "Node.js"
    JAVASCRIPT = "javascript", "JavaScript"
    TYPESCRIPT = "typescript", "TypeScript"
    HTML = "html", "HTML"
    CSHARP = "csharp", "C#"
    C = "c", "C/C++"
    RUST = "rust", "Rust"
    RUBY = "ruby", "Ruby"
    KOTLIN = "kotlin", "Kotlin"
    SCALA = "scala", "Scala"
    SHELL = "shell", "Shell"
    OTHER = "other", _("other")


class AppType(models.TextChoices):
    """Where it stands."""

    FRONTEND = "frontend", _("front end")
    MIDDLEWARE = "middleware", _("middleware")
    BACKEND = "backend", _("back end")
    JOB = "job", _("jobs")
    LIBRARY = "library", _("library")
    OTHER = "other", _("other")


class ServerType(models.TextChoices):
    """What serves it."""

    TOMCAT = "tomcat", "Tomcat"
    WEBLOGIC = "weblogic", "WebLogic"
    JETTY = "jetty", "Jetty"
    NGINX = "nginx", "nginx"
    APACHE = "apache", "Apache"
    GUNICORN = "gunicorn", "Gunicorn"
    UWSGI = "uwsgi", "uWSGI"
    UVICORN = "uvicorn", "Uvicorn"
    PHP_FPM = "php_fpm", "PHP-FPM"
    IIS = "iis", "IIS"
    CADDY = "caddy", "Caddy"
    PM2 = "pm2", "PM2"
    SYSTEMD = "systemd", _("systemd, by itself")
    OTHER = "other", _("other")


class Architecture(models.TextChoices):
    """On which framework it is built."""

    DJANGO = "django", "Django"
    FLASK = "flask", "Flask"
    FASTAPI = "fastapi", "FastAPI"
    TORNADO = "tornado", "Tornado"
    DUBBO = "dubbo", "Dubbo"
    SSH = "ssh", "Struts, Spring, Hibernate"
    SPRING_BOOT = "spring_boot", "Spring Boot"
    SPRING_CLOUD = "spring_cloud", "Spring Cloud"
    LARAVEL = "laravel", "Laravel"
    THINKPHP = "thinkphp", "ThinkPHP"
    PHALCON = "phalcon", "Phalcon"
    SYMFONY = "symfony", "Symfony"
    RAILS = "rails", "Ruby on Rails"
    EXPRESS = "express", "Express"
    NEXT = "next", "Next.js"
    VUE = "vue", "Vue"
    REACT = "react", "React"
    GIN = "gin", "Gin"
    AXUM = "axum", "Axum"
    DOTNET = "dotnet", ".NET"
    OTHER = "other", _("other")


class SourceType(models.TextChoices):
    """Where its releases come from."""

    GIT = "git", "git"
    SVN = "svn", "svn"
    UPLOAD = "upload", _("uploaded archives")


class Criticality(models.TextChoices):
    """What it costs when it stands."""

    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")
    CRITICAL = "critical", _("critical")


class EnvironmentKind(models.TextChoices):
    """What an environment is for."""

    DEVELOPMENT = "development", _("development")
    TEST = "test", _("test")
    STAGING = "staging", _("staging")
    PRODUCTION = "production", _("production")
