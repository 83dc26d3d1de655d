# seedbed-server in a container: no root, no build tools, kernels compiled. docs/container.md says how to run it.
# The last stage is what `docker build .` makes, the image for the CPU; `--target gpu` makes the one for NVIDIA GPUs.

FROM python:3.11-slim-bookworm AS dependencies

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
# pip works from outside the environment, so that it does not become part of it.
RUN python3 -m venv --without-pip /opt/venv
WORKDIR /src
COPY LICENSE README.md pyproject.toml ./
# Empty packages stand for ours: this layer, 99 % of the image's own bytes, lasts until pyproject.toml changes.
RUN mkdir -p client/seedbed server/seedbed_server \
    && touch client/seedbed/__init__.py server/seedbed_server/__init__.py \
    && python3 -m pip --python /opt/venv/bin/python install '.[server]' \
    && python3 -m pip --python /opt/venv/bin/python uninstall --yes seedbed \
    && find /opt/venv/lib -depth -type d -name tests -exec rm -r {} +


FROM dependencies AS build

COPY client client
COPY server server
# numba takes a kernel from its cache only if the source's time is the same, and layers keep whole seconds only.
RUN python3 -m pip --python /opt/venv/bin/python install --no-compile --no-deps --prefix /opt/seedbed . \
    && find /opt/seedbed -name '*.py' -exec touch --date='2020-02-02 UTC' {} + \
    && /opt/venv/bin/python -m compileall -q /opt/seedbed \
    && cp -a /opt/seedbed/. /opt/venv
# The self-test samples with every kernel: where the bits are not those of the contract, the build fails.
RUN SEEDBED_KERNEL_CACHE_DIR=/opt/kernels /opt/venv/bin/python -c "from seedbed_server.backends.cpu import CpuBackend; \
from seedbed_server.sampling.self_test import run_self_test; \
print(run_self_test(CpuBackend()), 'vectors are as in the contract')" \
    && chmod -R go+rX /opt/kernels


FROM python:3.11-slim-bookworm AS common

COPY --from=dependencies /opt/venv /opt/venv
COPY --from=build /opt/seedbed /opt/venv
COPY --from=build /opt/kernels /opt/kernels

# The address is no argument, so that arguments of `docker run` add to it instead of replacing it. SEEDBED_TARGET is
# whom the health check asks, and the commands of `docker exec`.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SEEDBED_KERNEL_CACHE_DIR=/opt/kernels \
    SEEDBED_LISTEN=0.0.0.0:50051 \
    SEEDBED_TARGET=127.0.0.1:50051

ARG REVISION=unknown
LABEL org.opencontainers.image.title="seedbed" \
      org.opencontainers.image.description="A gRPC service that serves initialized tensors, bit for bit the same everywhere" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION"

# Numbers: Kubernetes cannot tell whether a name is root's. This user owns nothing in the image.
USER 10001:10001
EXPOSE 50051
STOPSIGNAL SIGTERM
# Asks grpc.health.v1; not through a proxy, whose settings Docker may give to every container. The start period is for a
# processor that the image has no kernels for: the server compiles them before it serves.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 CMD ["/opt/venv/bin/python", "-I", "-c", \
    "import os, seedbed; seedbed.connect(os.environ['SEEDBED_TARGET'], options={'grpc.enable_http_proxy': 0}).wait_ready(3)"]
ENTRYPOINT ["/opt/venv/bin/seedbed-server"]


FROM dependencies AS gpu-dependencies

# gpu-cuda12 is for drivers that are too old for CUDA 13.
ARG GPU_EXTRA=gpu
# Only what the CPU image lacks, as a layer on top of it. The constraints keep what is there, also numba, whose version
# the compiled kernels depend on: where the extra does not go with it the build fails. The package itself is empty here.
RUN python3 -m pip --python /opt/venv/bin/python freeze > /tmp/installed.txt \
    && python3 -m pip --python /opt/venv/bin/python install \
        --constraint /tmp/installed.txt --prefix /opt/gpu ".[$GPU_EXTRA]" \
    && find /opt/gpu -depth \( -type d -name tests -o -name 'seedbed*' \) -exec rm -r {} +


FROM build AS gpu-build

COPY --from=gpu-dependencies /opt/gpu /opt/venv
# Machine code for A100, H100 and B200, and what runs it as well, such as A10, L4 and B300. No GPU is needed for that.
RUN SEEDBED_KERNEL_CACHE_DIR=/opt/kernels /opt/venv/bin/python -m seedbed_server.backends.cuda_kernels 8.0 9.0 10.0 \
    && chmod -R go+rX /opt/kernels


FROM common AS gpu

COPY --from=gpu-dependencies /opt/gpu /opt/venv
COPY --from=gpu-build /opt/kernels /opt/kernels
# The NVIDIA container runtime brings the driver, and these say what of it; the CUDA libraries are Python wheels. Both
# caches would be below a home folder, or beside the source, and the user can write to neither.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    CUPY_CACHE_DIR=/tmp/cupy \
    NUMBA_CACHE_DIR=/tmp/numba
# Not `auto`: a container that was started without its GPU ends with a message instead of serving slowly.
CMD ["--device", "gpu", "--log-format", "json"]


FROM common AS cpu

CMD ["--log-format", "json"]
