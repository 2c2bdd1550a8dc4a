import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { engineEnvironment } from "@store/cli/engine/environment/engineEnvironment";
import { dockerEnvironment } from "@store/docker/environment";
import { ROOT } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import { withEnvironment } from "../environment";

/** Variables that docker, buildx, BuildKit and the Docker provider read and that a process must not inherit from the user's shell. */
const REMOVED = [
  // The daemon, and the connection to it
  ...["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS", "DOCKER_TLS_VERIFY"],
  ...["DOCKER_API_VERSION", "DOCKER_CUSTOM_HEADERS", "DOCKER_SSH_OPTS"],
  ...["DOCKER_CA_MATERIAL", "DOCKER_CERT_MATERIAL", "DOCKER_KEY_MATERIAL"],
  // Logins of the Docker provider
  ...["DOCKER_REGISTRY_USER", "DOCKER_REGISTRY_PASS"],
  // The builder, and what it builds
  ...["DOCKER_BUILDKIT", "DOCKER_DEFAULT_PLATFORM", "DOCKER_CONTENT_TRUST"],
  ...["DOCKER_CONTENT_TRUST_SERVER", "BUILDX_BUILDER", "BUILDX_CONFIG", "BUILDX_EXPERIMENTAL"],
  ...["BUILDX_NO_DEFAULT_LOAD", "BUILDX_NO_DEFAULT_ATTESTATIONS", "BUILDX_GIT_LABELS"],
  ...["BUILDX_GIT_INFO", "BUILDX_GIT_CHECK_DIRTY", "BUILDX_METADATA_PROVENANCE"],
  ...["BUILDX_METADATA_WARNINGS", "BUILDX_BAKE_ENTITLEMENTS_FS", "BUILDX_CPU_PROFILE"],
  ...["BUILDKIT_HOST", "BUILDKIT_PROGRESS", "BUILDKIT_COLORS", "BUILDKIT_TTY_LOG_LINES"],
  ...["BUILDKIT_NO_CLIENT_TOKEN", "BUILDKIT_STEP_LOG_MAX_SIZE", "BUILDKIT_STEP_LOG_MAX_SPEED"],
  ...["BUILDKIT_SYNTAX", "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"],
  // The docker command's own
  ...["DOCKER_CLI_HINTS", "DOCKER_CLI_HOOKS", "DOCKER_HIDE_LEGACY_COMMANDS"],
  "DOCKER_SOME_FUTURE_VARIABLE",
];

describe("dockerEnvironment", () => {
  const endpoint = { host: "tcp://10.0.0.1:2376", certPath: "/certs" };
  const everything = Object.fromEntries(REMOVED.map((name) => [name, "from the shell"]));
  const dockerVariables = (env: NodeJS.ProcessEnv) =>
    Object.fromEntries(Object.entries(env).filter(([name]) => /DOCKER|BUILDX|BUILDKIT/.test(name)));

  it("passes no variable of the shell that chooses a daemon or a builder", () => {
    assert.deepEqual(dockerVariables(dockerEnvironment({ host: "unix:///a.sock" }, everything)), {
      DOCKER_HOST: "unix:///a.sock",
    });
    assert.deepEqual(dockerVariables(dockerEnvironment(undefined, everything)), {});
  });

  it("sets the variables of a daemon with TLS", () => {
    assert.deepEqual(dockerVariables(dockerEnvironment(endpoint, everything)), {
      DOCKER_HOST: "tcp://10.0.0.1:2376",
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: "/certs",
    });
  });

  it("passes the logins to registries, with an absolute path, and all other variables", () => {
    const env = {
      DOCKER_CONFIG: "docker",
      DOCKER_AUTH_CONFIG: "{}",
      PATH: "/bin",
      HTTP_PROXY: "p",
    };
    assert.deepEqual(dockerEnvironment(undefined, env), {
      ...env,
      DOCKER_CONFIG: resolve("docker"),
    });
  });

  it("is the engine's environment", () =>
    withEnvironment(everything, () => {
      const session: Session = {
        project: { root: ROOT, name: "store", defaults: {}, keys: [], structuredKeys: [] },
        stack: { name: "dev", file: "Pulumi.dev.yaml" },
        state: {
          project: { root: ROOT, name: "store", defaults: {}, keys: [], structuredKeys: [] },
          folder: join(ROOT, ".store"),
          backend: { kind: "user", url: "s3://bucket", from: "PULUMI_BACKEND_URL" },
        },
      };
      const engine = { pulumi: "pulumi", version: "3", how: "path", env: {} } as const;
      const env = engineEnvironment(session, engine, { host: "ssh://me@host" });
      const { DOCKER_CONFIG: config, ...others } = dockerVariables(env);
      assert.ok(
        existsSync(join(config ?? "", "config.json")),
        "the docker provider needs the file",
      );
      assert.deepEqual(others, { DOCKER_HOST: "ssh://me@host" });
      const withoutHost = dockerVariables(engineEnvironment(session, engine));
      assert.deepEqual(withoutHost, { DOCKER_CONFIG: config });
    }));
});
