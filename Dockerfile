# By digest, so that the same image is built tomorrow; `docker buildx imagetools inspect python:3.11-slim-bookworm` tells a newer one.
ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${BASE} AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements requirements
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: --requirement requirements/build.txt \
    && python -m venv --without-pip /opt/tactful \
    && pip --python /opt/tactful/bin/python install --require-hashes --only-binary :all: --requirement requirements/serve.txt
COPY pyproject.toml README.md LICENSE ./
COPY tactful/__init__.py tactful/py.typed tactful/
COPY cli/ cli/
COPY decisions/ decisions/
COPY experiments/ experiments/
COPY features/ features/
COPY models/ models/
COPY population/ population/
COPY serving/ serving/
COPY training/ training/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/build/wheels . \
    && pip --python /opt/tactful/bin/python install --no-deps /opt/build/wheels/*.whl

FROM ${BASE}

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
