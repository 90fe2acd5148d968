# syntax=docker/dockerfile:1
# One image for every machine of a cluster (cluster.yaml), and for the whole service on one machine:
#
#   docker build -t halorow .
#   docker run --init --shm-size 4g --net host -v halorow-data:/home/halorow/data halorow
#
# A base that can never change: --build-arg PYTHON_IMAGE=python@sha256:…
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# Debian keeps one version of each at a time: naming it would break the build with the next.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.lock requirements-gpu.lock pyproject.toml ./
# The installer itself is one of the locked packages.
RUN sed -n '/^uv==/,/[^\\]$/p' requirements.lock > uv.lock \
    && pip install --no-cache-dir --disable-pip-version-check --require-hashes -r uv.lock
# What runs, with all extras and without the tools of development, in the locked versions; uv holds every file against
# the hashes of the locks. CuPy is for machines with GPUs.
ENV VIRTUAL_ENV=/opt/halorow
RUN uv venv "$VIRTUAL_ENV" \
    && uv pip install --no-cache --constraints requirements.lock --constraints requirements-gpu.lock \
        --requirements pyproject.toml --extra all 'cupy-cuda12x[ctk]'
COPY setup.py LICENSE ./
COPY pipeline ./pipeline
COPY mpi_stage ./mpi_stage
COPY gpu_kernels ./gpu_kernels
COPY ui ./ui
RUN uv pip install --no-cache --no-deps --build-constraints requirements.lock . \
    && "$VIRTUAL_ENV/bin/python" -P -c 'from mpi_stage.native import kernels; assert kernels'

FROM ${PYTHON_IMAGE}
# Ray's launcher copies files with rsync, and runs its commands in login shells, which set PATH anew; the head
# reaches its workers by ssh. PATH is expanded by those shells.
# hadolint ignore=DL3008,SC2016
RUN apt-get update \
    && apt-get install -y --no-install-recommends openssh-client rsync \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home halorow \
    && install -d -o halorow -g halorow -m 700 /home/halorow/.ray /home/halorow/data \
    && echo 'PATH=/opt/halorow/bin:$PATH' > /etc/profile.d/halorow.sh
COPY --from=build /opt/halorow /opt/halorow
COPY jobs /opt/halorow/jobs
# The number of the user is that of cluster.yaml's ssh_user on the machine, whose files Ray mounts.
# hadolint ignore=DL3066
USER halorow
WORKDIR /home/halorow
ENV HOME=/home/halorow \
    PATH=/opt/halorow/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HALOROW_DATA_DIR=/home/halorow/data \
    RAY_ENABLE_UV_RUN_RUNTIME_ENV=0 \
    RAY_USAGE_STATS_ENABLED=0
HEALTHCHECK --interval=30s --timeout=10s --start-period=180s CMD ["python", "-m", "pipeline.cluster.health"]
# No ENTRYPOINT: Ray's launcher starts `bash` and runs its commands beside it.
CMD ["halorow", "up"]
