# Builds the server, then keeps only what this platform runs. Not built where this was written, which had no Docker engine:
# test/deploy.test.ts checks it against the tree, and its RUN lines were run by hand on Debian 12.
FROM node:22-bookworm-slim AS build
WORKDIR /parley
# Opus is compiled where no ready-made binary of it can be had.
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends python3 make g++ \
 && rm -rf /var/lib/apt/lists/*
ENV npm_package_config_node_gyp_nodedir=/usr/local
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
COPY tools ./tools
COPY src ./src
RUN npm ci \
 && npm prune --omit=dev --ignore-scripts \
 && find vendor/onnxruntime/bin -mindepth 3 -maxdepth 3 -type d ! -path "*/linux/$(node -p process.arch)" -exec rm -rf {} +

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /parley
COPY --from=build /parley/node_modules ./node_modules
COPY --from=build /parley/vendor ./vendor
COPY --from=build /parley/dist ./dist
COPY package.json LICENSE ./
COPY agents ./agents
COPY dialplans ./dialplans
# Weights of the small language models; how they are trained stays behind.
COPY models/turns/*.onnx models/turns/vocabulary.txt ./models/turns/
COPY models/topics/weights ./models/topics/weights
RUN mkdir data && chown node:node data
USER node
VOLUME /parley/data
EXPOSE 5060/udp 5060/tcp 8060/tcp 20000-29999/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "dist/cli/health.js"]
ENTRYPOINT ["node", "dist/cli/parley.js"]
CMD ["serve"]
