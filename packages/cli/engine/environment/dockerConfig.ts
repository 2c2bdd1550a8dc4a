import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { rootCertificates } from "node:tls";
import { CliError } from "@store/docker/cliError";
import { replaceFile } from "@store/docker/replaceFile";

/**
 * Returns the folder of docker's configuration for the engine and its providers: the user's own, or an empty one if the user has none.
 * The docker provider fails without a configuration file if the state names a registry with a login, also in a `down`, and it
 * ignores HOME.
 *
 * @param stateFolder Folder with the workspace's own data.
 */
export function dockerConfigFolder(
  stateFolder: string,
  env: NodeJS.ProcessEnv = process.env,
  home: string = homedir(),
): string {
  const own = resolve(env["DOCKER_CONFIG"] || join(home, ".docker"));
  if (existsSync(join(own, "config.json"))) return own;
  const folder = resolve(stateFolder, "docker-config");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  write(join(folder, "config.json"), "{}");
  link(join(own, "cli-plugins"), join(folder, "cli-plugins"));
  return folder;
}

/** Name of the generated docker context for a daemon with TLS. */
const TLS_CONTEXT = "store";

/**
 * Returns variables that make the engine's builder use a daemon with TLS. The docker provider's BuildKit client ignores
 * DOCKER_TLS_VERIFY and takes certificates from docker's current context only; so this function generates a context, in a folder with
 * the user's logins. Each daemon has a folder of its own, because runs on several stacks may use several daemons at the same time.
 *
 * @param stateFolder Folder with the workspace's own data.
 * @see https://github.com/kreuzwerker/terraform-provider-docker/blob/master/internal/provider/docker_cli.go
 */
export function tlsVariables(
  stateFolder: string,
  { host, certPath }: { readonly host: string; readonly certPath: string },
  userConfigFolder: string,
): Readonly<Record<string, string>> {
  const daemon = sha256(`${host}\n${certPath}`).slice(0, 12);
  const folder = resolve(stateFolder, "docker-config-tls", daemon);
  const id = sha256(TLS_CONTEXT);
  const meta = join(folder, "contexts", "meta", id);
  // Not a link to the folder, which docker would ignore.
  const tls = join(folder, "contexts", "tls", id, "docker");
  for (const path of [meta, tls]) mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const name of ["config.json", "cli-plugins"])
    link(join(userConfigFolder, name), join(folder, name));
  for (const name of ["ca.pem", "cert.pem", "key.pem"]) {
    const [own, path] = [join(certPath, name), join(tls, name)];
    if (existsSync(own)) link(own, path);
    // The user's file is gone. Writing to the link would create it again.
    else if (linkTarget(path) !== undefined) rmSync(path);
  }
  addMissingCertificates(certPath, tls);
  const endpoints = { docker: { Host: host, SkipTLSVerify: false } };
  write(
    join(meta, "meta.json"),
    JSON.stringify({ Name: TLS_CONTEXT, Metadata: {}, Endpoints: endpoints }),
  );
  return {
    DOCKER_CONFIG: folder,
    DOCKER_CONTEXT: TLS_CONTEXT,
    // For the docker commands of the program, which set DOCKER_HOST themselves.
    DOCKER_TLS_VERIFY: "1",
    DOCKER_CERT_PATH: tls,
  };
}

/**
 * Completes certificates that the docker command accepts without a CA or without a client certificate, because the docker provider
 * requires all three files: by Node's CAs, and by a client certificate for which the daemon doesn't ask.
 */
function addMissingCertificates(certPath: string, tls: string): void {
  if (!existsSync(join(certPath, "ca.pem")))
    write(join(tls, "ca.pem"), rootCertificates.join("\n"));
  const [cert, key] = [join(tls, "cert.pem"), join(tls, "key.pem")];
  if (existsSync(cert) && existsSync(key)) return;
  const { status, error } = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=unused", "-days", "3650", "-keyout", key, "-out", cert],
  ]);
  if (status === 0) return;
  throw new CliError(
    `Docker's certificates in ${certPath} have no client certificate, and creating an unused one for the docker provider failed: ${error?.message ?? `openssl exited with code ${status}`}.`,
    { hint: "Install openssl, or add cert.pem and key.pem to the certificates." },
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Writes a file that an engine of another run may be reading. */
function write(path: string, content: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === content) return;
  replaceFile(path, content, { mode: 0o600 });
}

/** Links to a file or folder, or removes the link if there is none. An engine of another run may be using the link. */
function link(target: string, path: string): void {
  if (!existsSync(target)) {
    rmSync(path, { force: true });
  } else if (linkTarget(path) !== target) {
    const draft = `${path}.${process.pid}`;
    rmSync(draft, { force: true });
    symlinkSync(target, draft);
    renameSync(draft, path);
  }
}

/** Returns undefined if the link doesn't exist. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
