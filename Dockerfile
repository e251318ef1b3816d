FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/tactful
COPY constraints.txt pyproject.toml README.md ./
COPY cli/ cli/
COPY decisions/ decisions/
COPY experiments/ experiments/
COPY features/ features/
COPY models/ models/
COPY population/ population/
COPY serving/ serving/
COPY training/ training/
RUN /opt/tactful/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim-bookworm

# LightGBM's OpenMP.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1=12.2.* \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/tactful --create-home --shell /usr/sbin/nologin tactful \
    && install --directory --owner tactful --mode 0700 /var/cache/tactful
COPY --from=build /opt/tactful /opt/tactful

ENV PATH=/opt/tactful/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_WAIT_POLICY=PASSIVE \
    NUMBA_CACHE_DIR=/var/cache/tactful \
    TACTFUL_DATA=/var/lib/tactful \
    TACTFUL_HOST=0.0.0.0 \
    TACTFUL_PORT=8080

USER 10001
WORKDIR /var/lib/tactful
VOLUME ["/var/lib/tactful"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"TACTFUL_PORT\"]}/health/live', timeout=4)"]
ENTRYPOINT ["tactful"]
CMD ["serve"]
