# Two stages: the first has uv, node and npm, the second only what runs. See docs/install.md.
FROM python:3.11-slim-bookworm AS build
ENV ADMINSET_DATA_DIR=/var/lib/adminset \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY . .
# The same steps as `make up` on a machine: packages by hash, front-end files, translations, static files.
# Keys that Django made for itself meanwhile stay behind in this stage.
RUN python3 -m adminset.launch image \
    && rm -rf /var/lib/adminset/cache /var/lib/adminset/secrets

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openssh-client git subversion \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /var/lib/adminset --shell /usr/sbin/nologin adminset \
    && install --directory --owner adminset --group adminset --mode 0700 /var/lib/adminset /var/lib/adminset/runs /var/lib/adminset/audit /var/lib/adminset/library /var/lib/adminset/packages /var/lib/adminset/artefacts /var/lib/adminset/builds /var/lib/adminset/terminals
ENV ADMINSET_DATA_DIR=/var/lib/adminset \
    MALLOC_ARENA_MAX=2 \
    PATH=/app/.venv/bin:$PATH \
    PORT=8000 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=build /app /app
COPY --from=build --chown=adminset:adminset /var/lib/adminset/static /var/lib/adminset/static
USER adminset
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s --retries=4 \
    CMD ["python", "-m", "adminset.launch.healthcheck"]
CMD ["uvicorn", "adminset.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--no-proxy-headers", "--no-server-header", "--ws-max-size", "1048576", "--ws-per-message-deflate", "false", "--timeout-graceful-shutdown", "20", "--lifespan", "on"]
