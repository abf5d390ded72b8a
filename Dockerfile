# syntax=docker/dockerfile:1

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without scripts: `prepare` would build, and there are no sources yet.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional dependencies are the Postgres binaries of `serve --embedded`, which has no place in a container.
RUN npm ci --ignore-scripts --omit=dev --omit=optional && npm cache clean --force

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/build/src ./build/src
COPY package.json LICENSE ./
USER node
EXPOSE 6432 6433
# Says that the process serves; whether its databases can be reached is /readyz. PGFIG_ADMIN_PORT: for a config whose
# admin.port is another.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PGFIG_ADMIN_PORT ?? 6433}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/build/src/main/pgfig.js"]
CMD ["serve", "--config", "/etc/pgfig/pgfig.yaml"]
