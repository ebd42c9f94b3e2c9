# The image of a service: docker build --build-arg SERVICE=gateway .   (or user-service, order-service)
#
# The last stage holds Node.js, the four libraries that it needs, and the service: no shell, no package
# manager, no compiler, no TypeScript. e2e/deploy replays these lines without a Docker engine, which is
# why RUN lines keep to relative paths.

FROM node:24.21.0-bookworm-slim AS build
ARG SERVICE
WORKDIR /build/app
# CI: no questions. pm_on_fail: this is the pnpm that package.json names, it need not look for it.
ENV CI=true pnpm_config_pm_on_fail=ignore

# Changes with Node.js alone: the program, what it is linked to, and their notices.
RUN mkdir -p ../runtime/usr/local/bin ../runtime/etc ../runtime/licenses \
 && cp "$(command -v node)" ../runtime/usr/local/bin/ \
 && cp --parents --dereference $(ldd "$(command -v node)" | grep -o '/lib[^ ]*') ../runtime \
 && cp /usr/share/doc/libc6/copyright ../runtime/licenses/glibc.txt \
 && cp /usr/share/doc/libstdc++6/copyright ../runtime/licenses/libstdc++.txt \
 && echo 'hosts: files dns' > ../runtime/etc/nsswitch.conf \
 && echo 'service:x:65532:65532::/nonexistent:/nonexistent' > ../runtime/etc/passwd

# Changes with the dependencies. TypeScript, source maps and manuals are of no use at run time.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY patches patches
COPY gen/package.json gen/
COPY kit/package.json kit/
COPY ${SERVICE}/package.json ${SERVICE}/
RUN npx --yes "$(node -p 'require("./package.json").packageManager')" install \
      --prod --frozen-lockfile --filter "@3l1/${SERVICE}..." \
 && find node_modules -type f -regex '.*\.\([cm]?ts\|map\|md\)' -delete \
 && chmod -R a+rX .

# Changes with the source.
WORKDIR /build/source
COPY scripts/strip-types.ts scripts/health-check.ts scripts/
COPY gen gen
COPY kit kit
COPY ${SERVICE} ${SERVICE}
RUN node scripts/strip-types.ts ../stripped scripts/health-check.ts \
      $(find "$SERVICE/src" -name '*.ts' ! -name '*.test.ts') \
 && find "$SERVICE" -maxdepth 1 -name migrations -exec cp -r --parents {} ../stripped ';' \
 && cp --parents gen/openapi.json ../stripped \
 && chmod -R a+rX ../stripped

# The web console, which the gateway serves: what bundles it stays in this stage.
FROM node:24.21.0-bookworm-slim AS console
ARG SERVICE
WORKDIR /build/source
ENV CI=true pnpm_config_pm_on_fail=ignore
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml tsconfig.json ./
COPY patches patches
COPY gen/package.json gen/
COPY web/package.json web/
RUN if [ "$SERVICE" = gateway ]; then \
      npx --yes "$(node -p 'require("./package.json").packageManager')" install \
        --frozen-lockfile --filter "@3l1/web..."; \
    fi
COPY gen gen
COPY web web
RUN mkdir -p ../out \
 && if [ "$SERVICE" = gateway ]; then \
      cd web && node node_modules/vite/bin/vite.js build --outDir ../../out/web/dist \
       && chmod -R a+rX ../../out; \
    fi

FROM scratch
ARG SERVICE
COPY --from=build /build/runtime /
COPY --from=build /usr/local/LICENSE /licenses/node.txt
COPY LICENSE /licenses/3l1.txt
COPY licenses /licenses
COPY --from=build /build/app /app
COPY --from=build /build/stripped /app
COPY --from=console /build/out /app
WORKDIR /app/${SERVICE}
# A container's loopback is out of reach for everybody else, so every listener takes all addresses; which
# ports others may reach is up to the networks.
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=16 \
    PATH=/usr/local/bin \
    GATEWAY_HOST=0.0.0.0 GATEWAY_ADMIN_HOST=0.0.0.0 \
    USER_SERVICE_HOST=0.0.0.0 USER_SERVICE_ADMIN_HOST=0.0.0.0 \
    ORDER_SERVICE_HOST=0.0.0.0 ORDER_SERVICE_ADMIN_HOST=0.0.0.0
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
  CMD ["node", "../scripts/health-check.js"]
STOPSIGNAL SIGTERM
# Node.js itself is the first process: SIGTERM reaches it, and it drains.
ENTRYPOINT ["node", "src/main.js"]
