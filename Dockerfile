# seedbed-server in a container: no build tools, no root, kernels compiled. docs/container.md says how to run it.

FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
# Installed into from outside, so that no installer comes along.
RUN python3 -m venv --without-pip /opt/venv
WORKDIR /src

# The dependencies alone, by way of empty packages: this layer lasts until pyproject.toml changes.
COPY LICENSE README.md pyproject.toml ./
RUN mkdir -p client/seedbed server/seedbed_server \
    && touch client/seedbed/__init__.py server/seedbed_server/__init__.py \
    && python3 -m pip --python /opt/venv/bin/python install '.[server]' \
    && python3 -m pip --python /opt/venv/bin/python uninstall --yes seedbed

COPY client client
COPY server server
# numba takes a kernel from its cache only while the source's time is the same, and a registry keeps whole seconds only.
RUN python3 -m pip --python /opt/venv/bin/python install --no-compile --no-deps . \
    && find /opt/venv/lib/python3.*/site-packages/seedbed* -name '*.py' -exec touch --date='2020-02-02 UTC' {} + \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib/python3.*/site-packages/seedbed*

# The self-test samples with every kernel: a build that gives other bits than the contract fails here.
# Folders keep their write permission, since a server that must compile again copies them with their modes.
RUN SEEDBED_KERNEL_CACHE_DIR=/opt/kernels /opt/venv/bin/python -c "from seedbed_server.backends.cpu import CpuBackend; \
from seedbed_server.self_test import run_self_test; \
print(run_self_test(CpuBackend()), 'vectors of the contract hold')" \
    && chmod -R u+rwX,go+rX,go-w /opt/kernels


FROM python:3.11-slim-bookworm

COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/kernels /opt/kernels

# SEEDBED_LISTEN instead of an argument, so that arguments of `docker run` add to it. SEEDBED_TARGET is whom the
# health check and the commands of `docker exec` ask.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SEEDBED_KERNEL_CACHE_DIR=/opt/kernels \
    SEEDBED_LISTEN=0.0.0.0:50051 \
    SEEDBED_TARGET=127.0.0.1:50051

ARG REVISION=unknown
LABEL org.opencontainers.image.title="seedbed" \
      org.opencontainers.image.description="A gRPC service that serves initialized tensors, the same bits everywhere" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION"

# A number, since Kubernetes cannot tell whether a name is root. Nothing of the image is this user's.
USER 10001:10001
WORKDIR /tmp
EXPOSE 50051
STOPSIGNAL SIGTERM
# grpc.health.v1. The start period is for a processor that the image has no kernels for: they are compiled first.
# Docker gives containers its own proxy settings; the way to 127.0.0.1 is not through a proxy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["/opt/venv/bin/python", "-c", "import os, seedbed; seedbed.connect(os.environ['SEEDBED_TARGET'], options={'grpc.enable_http_proxy': 0}).wait_ready(3)"]
ENTRYPOINT ["/opt/venv/bin/seedbed-server"]
CMD ["--log-format", "json"]
