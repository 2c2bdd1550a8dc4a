import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { main } from "@store/cli/main";
import { exportCommands, RESTORE_COMMANDS, undoStoreEnv } from "@store/cli/host/shellEnvironment";
import { ExitCode } from "@store/docker/cliError";
import { withEnvironment } from "../environment";

describe("The shell in which ./store env was evaluated", () => {
  const point = exportCommands({ DOCKER_HOST: "ssh://store-it's" }).join("\n");
  const restore = RESTORE_COMMANDS.join("\n");

  /** Returns docker's variables at the end of a script, for a user with these variables. */
  const variablesAfter = (script: string, env: NodeJS.ProcessEnv) => {
    const program = `${script}\nexec "$NODE" -p 'JSON.stringify(process.env)'`;
    const stdout = execFileSync("sh", ["-euc", program], {
      encoding: "utf8",
      env: { NODE: process.execPath, ...env },
    });
    const variables = JSON.parse(stdout) as Record<string, string>;
    return Object.fromEntries(Object.entries(variables).filter(([name]) => /DOCKER/.test(name)));
  };
  const own = { DOCKER_HOST: "unix:///home/me/.colima/docker.sock", DOCKER_API_VERSION: "1.41" };

  it("uses the stack's host, without the TLS of another daemon", () => {
    const env = { ...own, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/certs" };
    const { DOCKER_HOST, ...others } = variablesAfter(point, env);
    assert.equal(DOCKER_HOST, "ssh://store-it's");
    assert.deepEqual(
      Object.keys(others).filter((name) => name.startsWith("DOCKER")),
      [],
    );
  });

  it("gets its own daemon back from ./store env --unset, also after several stacks", () => {
    assert.deepEqual(variablesAfter(`${point}\n${point}\n${restore}`, own), own);
    assert.deepEqual(variablesAfter(`${point}\n${restore}`, {}), {});
    assert.deepEqual(variablesAfter(`${restore}\n${restore}`, own), own, "without ./store env");
  });

  it("keeps using its own daemon for the commands of the store", () => {
    const afterUndo = (env: NodeJS.ProcessEnv) => {
      undoStoreEnv(env);
      return env;
    };
    assert.deepEqual(afterUndo(variablesAfter(`${point}\n${point}`, own)), own);
    assert.deepEqual(afterUndo(variablesAfter(point, {})), {});
    assert.deepEqual(afterUndo({ ...own }), own);
  });

  it("passes its own daemon to all that the store's commands start, such as tests", async () => {
    const env: NodeJS.ProcessEnv = variablesAfter(point, own);
    await withEnvironment(env, async () => {
      assert.equal(await main(["test", "no-such-tier"]), ExitCode.Usage);
      assert.equal(process.env["DOCKER_HOST"], own.DOCKER_HOST);
    });
  });
});
