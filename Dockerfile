# A classroom in a container. Two images:
#
#   docker build --target student -t derivations .                 JupyterLab, the chapters' notebooks, the assignments
#   docker build --target teacher -t derivations-teacher .         and all that grading needs, solutions included
#
#   docker run --rm -p 127.0.0.1:8888:8888 -v "$PWD/work:/srv/reader/work" derivations
#
# Never give students the teacher's image. Grading runs their code under bubblewrap, which needs user name spaces;
# Docker forbids them unless told otherwise. The second flag matters where AppArmor is in use (Ubuntu):
#
#   docker run --rm -it --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
#       -v "$PWD/my-class:/srv/reader/my-class" derivations-teacher derivations classroom doctor
#
# Docker's own filter is off then; students' code still meets the filters of the sandbox. The folder on the host must
# belong to the user 1000. No image has been built from this file yet: there was no Docker where it was written. It has
# been read by hadolint, and pip has resolved and fetched all pinned versions in a plain Debian 12; no more.
FROM python:3.11-slim-bookworm AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --create-home --home-dir /srv/reader --uid 1000 reader
WORKDIR /course
COPY requirements.txt constraints.txt LICENSE ./
COPY code code
RUN pip install -r requirements.txt

# Builds the site, and with it the notebooks; ten minutes on two cores. Nothing of this stage but those stays.
FROM base AS book
COPY _config.yml _toc.yml ./
COPY chapters chapters
COPY assignments assignments
COPY benchmarks/results benchmarks/results
RUN jupyter-book build -W -n --keep-going .

FROM base AS teacher
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends -y bubblewrap \
    && rm -rf /var/lib/apt/lists/*
RUN pip install -c constraints.txt -e "./code[classroom]"
COPY assignments assignments
USER 1000
WORKDIR /srv/reader
CMD ["derivations", "classroom", "doctor"]

FROM base AS student
COPY --from=book /course/_build/html/notebooks notebooks
COPY --from=book /course/_build/html/assignments/*.ipynb notebooks/assignments/
USER 1000
WORKDIR /srv/reader
EXPOSE 8888
# Copied at each start, and nobody's work is overwritten.
CMD ["sh", "-c", "python -m derivations.book.notebooks /course/notebooks work && exec jupyter lab --ip=0.0.0.0 --no-browser --notebook-dir=work"]
