import { request } from "node:https";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { docker, dockerQuietly } from "../docker";

const READY_LIMIT_MS = 30_000;
const LIMIT_TEXT = `${READY_LIMIT_MS / 1000} s`;

/**
 * Waits until the registry's container has created its CA and the registry is ready.
 *
 * @param isReady Checks the registry with the CA's certificate (PEM).
 * @returns the CA's certificate, PEM.
 * @throws an error with the end of the container's log after 30 s.
 */
export async function untilCaAvailable(
  container: string,
  isReady: (authority: string) => Promise<boolean>,
): Promise<string> {
  const deadline = Date.now() + READY_LIMIT_MS;
  while (Date.now() < deadline) {
    // tls.pem is the last file that registry.sh creates.
    if (await dockerQuietly("exec", container, "test", "-s", "/var/lib/rehearsal/tls.pem")) {
      const authority = `${await docker("exec", container, "cat", "/var/lib/rehearsal/ca.crt")}\n`;
      if (await isReady(authority)) return authority;
    }
    await sleep(300);
  }
  const log = await docker("logs", "--tail", "5", container).catch(String);
  throw new Error(
    `The emulated registry isn't ready after ${LIMIT_TEXT}. Its log ends with: ${log}`,
  );
}

/** Returns whether the registry answers a request without credentials with 401 Unauthorized. */
export function requiresLogin(host: string, port: number, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(
      { host, port, path: "/v2/", ca, agent: false, timeout: 2000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 401);
      },
    );
    call.once("timeout", () => call.destroy(new Error("timeout")));
    call.once("error", () => resolve(false));
    call.end();
  });
}

/** Waits until the port accepts connections. @throws an error after 30 s. */
export async function untilListening(host: string, port: number): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS;
  while (!(await acceptsConnection(host, port))) {
    if (Date.now() > deadline)
      throw new Error(`The emulated registry doesn't accept connections after ${LIMIT_TEXT}.`);
    await sleep(200);
  }
}

function acceptsConnection(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const end = (accepted: boolean) => (): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once("connect", end(true)).once("timeout", end(false)).once("error", end(false));
  });
}
