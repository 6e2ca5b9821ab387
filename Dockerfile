# JupyterLab with the course, for docker and podman, and for Binder, which names the user.
#   docker build -t porous-sgm .
#   docker run --rm --init -p 127.0.0.1:8888:8888 porous-sgm
# It listens on all addresses of the container and asks for the token that it prints.

# What set-up needs of the system; the development container is this stage alone.
FROM node:22-bookworm-slim AS base
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates g++ git python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*

FROM base
ARG NB_USER=learner
ARG NB_UID=1000
# The user of the base image has the number that Binder asks for.
RUN userdel node && rm -r /home/node \
 && useradd --create-home --shell /bin/bash --uid "${NB_UID}" "${NB_USER}"
ENV USER=${NB_USER} \
    HOME=/home/${NB_USER}
WORKDIR ${HOME}/porous-sgm
COPY . .
RUN chown -R "${NB_UID}" .
USER ${NB_USER}
RUN npm run setup
# Binder looks for python3 and jupyter-lab.
ENV PATH=${HOME}/porous-sgm/.venv/bin:${PATH} \
    POROUS_SGM_BUDGET=smoke
EXPOSE 8888
CMD ["node", "scripts/lab.js", "--ServerApp.ip=0.0.0.0", "--no-browser"]
