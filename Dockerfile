# syntax=docker/dockerfile:1
# One image for web, worker and beat; docker-compose.yml has their commands.

FROM python:3.13-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --require-hashes --requirement /tmp/requirements.txt

FROM python:3.13-slim-bookworm AS application
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    STATIC_ROOT=/srv/static \
    MEDIA_ROOT=/srv/media \
    PRIVATE_MEDIA_ROOT=/srv/private \
    LOG_FORMAT=json
RUN groupadd --gid 10001 registry \
    && useradd --uid 10001 --gid registry --no-create-home --home-dir /srv/registry --shell /usr/sbin/nologin registry \
    && install --directory --owner registry --group registry /srv/media /srv/private /srv/schedule /srv/static
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/registry
COPY . .
# Production settings need these variables; collectstatic does not use them and they are not stored in the image.
RUN SECRET_KEY=only-for-collecting-static-files-and-nothing-else-whatsoever \
    ACCOUNTS_SIGNING_KEY=only-for-collecting-static-files-and-nothing-else-at-all \
    DATABASE_URL=postgres://nobody@nowhere/none \
    REDIS_URL=redis://nowhere:6379 \
    ALLOWED_HOSTS=nowhere \
    PUBLIC_BASE_URL=https://nowhere.invalid \
    python manage.py collectstatic --noinput
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "bin/healthcheck"]
# GRANIAN_WORKERS sets the number of processes.
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "--blocking-threads", "1", "--workers-kill-timeout", "20", "config.wsgi:application"]
