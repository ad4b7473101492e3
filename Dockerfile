# Two images (`pages` only builds): `service` runs one of Firebreak's services, `demo` runs `npm start` (needs a privileged container).
# Written where no container engine was at hand: not built there.
#
# A tag is whatever its registry serves today. Pin the images by digest in what you build for production:
#   docker buildx imagetools inspect node:24-bookworm-slim    # its Digest
#   docker build --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:… --target service .
# docker-compose.yml takes REDIS_IMAGE and POSTGRES_IMAGE from .env the same way. No registry was at hand to write the digests here.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS pages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY core core
COPY scripts scripts
COPY web web
COPY tsconfig.json ./
RUN node scripts/build-web.mjs

FROM ${NODE_IMAGE} AS service
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY core core
COPY adapters adapters
COPY services services
COPY cli cli
COPY policies policies
COPY --from=pages /app/web/dist web/dist
RUN printf '#!/bin/sh\nexec node /app/cli/firebreak.ts "$@"\n' > /usr/local/bin/firebreak \
  && chmod 755 /usr/local/bin/firebreak \
  && install --directory --owner=node --group=node --mode=0700 /state
USER node
ENV NODE_ENV=production
EXPOSE 7373
ENTRYPOINT ["firebreak"]
CMD ["--help"]

FROM ${NODE_IMAGE} AS demo
WORKDIR /app
COPY . .
# Dependencies and system parts now rather than at every start; the control planes are built at the first start, into the cache volume.
RUN node scripts/setup.mjs start
CMD ["npm", "start"]
