# seedbed-server in a container: no root, no build tools, kernels compiled. docs/container.md says how to run it.
# The last stage is what `docker build .` makes, the image for the CPU; `--target gpu` makes the one for NVIDIA GPUs.

# The digest is that of the index, which has images for amd64, arm64 and others. To renew it:
#   docker buildx imagetools inspect python:3.11-slim-bookworm
ARG BASE=python:3.11-slim-bookworm
ARG BASE_DIGEST=sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

# A base without a digest, one that is only on this machine: --build-arg BASE=NAME --build-arg BASE_DIGEST=
FROM ${BASE}${BASE_DIGEST:+@$BASE_DIGEST} AS python


FROM python AS pip

# Everything that is installed is locked in docker/, with its hashes: `make lock`.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_DEPS=1 \
    PIP_ONLY_BINARY=:all: \
    PIP_REQUIRE_HASHES=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src


FROM pip AS dependencies

RUN apt-get update -qq && apt-get install -qq --no-install-recommends binutils
# pip works from outside the environment, so that it does not become part of it.
RUN python3 -m venv --without-pip /opt/venv
COPY docker/server.txt docker/
# What nothing imports goes, and the names in LLVM's symbol table, which the loader does not read.
RUN python3 -m pip --python /opt/venv/bin/python install -r docker/server.txt \
    && cd /opt/venv/lib/python3.11/site-packages \
    && find . -depth -type d -name tests -exec rm -r {} + \
    && rm -r numpy/distutils numpy/f2py numpy/_core/include numpy/_core/lib numpy/random/lib \
    && find . -name '*.pyi' -delete \
    && strip --strip-unneeded llvmlite/binding/libllvmlite.so \
    && cd /opt/venv/bin && rm -f activate* Activate* f2py numba numpy-config tqdm


# What builds the package, and lists what is in the image.
FROM pip AS tools

RUN python3 -m venv --without-pip /opt/tools
COPY docker/build.txt docker/
RUN python3 -m pip --python /opt/tools/bin/python install -r docker/build.txt


FROM dependencies AS build

COPY --from=tools /opt/tools /opt/tools
COPY LICENSE README.md pyproject.toml ./
COPY tools/package_page.py tools/
COPY client client
COPY server server
# numba takes a kernel from its cache only if the source's time is the same, and layers keep whole seconds only.
RUN /opt/tools/bin/python -m hatchling build --target wheel --directory /tmp/wheel \
    && PIP_REQUIRE_HASHES=0 python3 -m pip --python /opt/venv/bin/python install --no-compile --no-index \
        --find-links /tmp/wheel --prefix /opt/seedbed seedbed \
    && find /opt/seedbed -name '*.py' -exec touch --date='2020-02-02 UTC' {} + \
    && /opt/venv/bin/python -m compileall -q /opt/seedbed \
    && cp -a /opt/seedbed/. /opt/venv \
    && python3 -m pip --python /opt/venv/bin/python check
# The self-test samples with every kernel: where the bits are not those of the contract, the build fails.
RUN SEEDBED_KERNEL_CACHE_DIR=/opt/kernels /opt/venv/bin/python -c "from seedbed_server.devices import open_backend; \
print(open_backend('cpu', None)[1], 'vectors are as in the contract')" \
    && chmod -R go+rX /opt/kernels
RUN /opt/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
    --output-file /opt/sbom.cdx.json /opt/venv


FROM python AS common

# No pip runs any more, though its bytes stay in the base's layer. The second line is for a base with Debian's Python.
RUN cd /usr/local && rm -rf bin/pip* bin/wheel lib/python3.11/ensurepip lib/python3.11/site-packages/* \
    && cd /usr && rm -rf bin/pip* lib/python3.11/ensurepip lib/python3/dist-packages/* share/python-wheels
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=build /opt/seedbed /opt/venv
COPY --from=build /opt/kernels /opt/kernels

# The addresses are no arguments, so that arguments of `docker run` add to them instead of replacing them. The health check
# asks the admin endpoint, and the commands of `docker exec` SEEDBED_TARGET. Who runs it decides whether it serves with TLS
# or without: docs/container.md.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SEEDBED_ADMIN_LISTEN=127.0.0.1:9464 \
    SEEDBED_KERNEL_CACHE_DIR=/opt/kernels \
    SEEDBED_LISTEN=0.0.0.0:50051 \
    SEEDBED_TARGET=127.0.0.1:50051

ARG BASE
ARG BASE_DIGEST
# `make image` adds the commit and the time.
LABEL org.opencontainers.image.title="seedbed" \
      org.opencontainers.image.description="A gRPC service that serves initialized tensors, bit for bit the same everywhere" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.base.name="$BASE" \
      org.opencontainers.image.base.digest="$BASE_DIGEST"

# Numbers: Kubernetes cannot tell whether a name is root's. This user owns nothing in the image.
USER 10001:10001
EXPOSE 50051
STOPSIGNAL SIGTERM
# Costs 11 ms of a core. The start period is for a processor that the image has no kernels for: the server compiles them
# before it is ready.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 CMD ["/opt/venv/bin/python", "-I", "-S", \
    "/opt/venv/lib/python3.11/site-packages/seedbed_server/admin/probe.py"]
ENTRYPOINT ["/opt/venv/bin/seedbed-server"]


FROM dependencies AS gpu-dependencies

# gpu-cuda12 is for drivers that are too old for CUDA 13.
ARG GPU_EXTRA=gpu
# A layer on top of the CPU image: what that has already, in the same versions by `make lock`, pip leaves out.
COPY docker/${GPU_EXTRA}.txt docker/
RUN python3 -m pip --python /opt/venv/bin/python install --prefix /opt/gpu -r docker/${GPU_EXTRA}.txt \
    && find /opt/gpu -depth -type d -name tests -exec rm -r {} +


FROM build AS gpu-build

COPY --from=gpu-dependencies /opt/gpu /opt/venv
# Machine code for A100, H100 and B200, and what runs it as well, such as A10, L4 and B300. No GPU is needed for that.
RUN SEEDBED_KERNEL_CACHE_DIR=/opt/kernels /opt/venv/bin/python -m seedbed_server.backends.cuda_kernels 8.0 9.0 10.0 \
    && chmod -R go+rX /opt/kernels
RUN /opt/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
    --output-file /opt/sbom.cdx.json /opt/venv


FROM common AS gpu

COPY --from=gpu-dependencies /opt/gpu /opt/venv
COPY --from=gpu-build /opt/kernels /opt/kernels
COPY --from=gpu-build /opt/sbom.cdx.json /usr/share/doc/seedbed/
# The NVIDIA container runtime brings the driver, and these say what of it; the CUDA libraries are Python wheels. Both
# caches would be below a home folder, or beside the source, and the user can write to neither.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    CUPY_CACHE_DIR=/tmp/cupy \
    NUMBA_CACHE_DIR=/tmp/numba
# Not `auto`: a container that was started without its GPU ends with a message instead of serving slowly.
CMD ["--device", "gpu", "--log-format", "json"]


FROM common AS cpu

COPY --from=build /opt/sbom.cdx.json /usr/share/doc/seedbed/
CMD ["--log-format", "json"]
