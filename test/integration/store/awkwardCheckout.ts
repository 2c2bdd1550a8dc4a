import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { TestStore } from "../support/testStore";

/**
 * Changes a checkout so that images are built from it as on some users' machines: cloned with `umask 077`, with exceptions with wildcards in
 * .dockerignore (https://github.com/moby/moby/issues/30018), and with a named pipe as .env, as password managers mount it.
 */
export function makeAwkward(store: TestStore): void {
  store.write("services/inventory/.dockerignore", "*\n!package.json\n!src/**/*.*\n");
  execFileSync("chmod", ["-R", "go-rwx", "services", "packages"], { cwd: store.folder });
  execFileSync("mkfifo", [join(store.folder, "services/inventory/.env")]);
}
