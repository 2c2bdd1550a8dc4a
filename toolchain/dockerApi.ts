import { type RequestOptions, request } from "node:http";

export interface DockerAnswer {
  status: number;
  body: string;
}

/**
 * One call of Docker's API: a hundred times faster than starting the docker command. Without a version in the path the
 * daemon answers in its own. Rejects with the system's error code where nobody answers.
 */
export function dockerCall(
  host: string,
  method: "GET" | "POST" | "DELETE",
  path: string,
  options: { timeoutMs?: number } = {},
): Promise<DockerAnswer> {
  const address = addressOf(host);
  if (address === undefined) return Promise.reject(new Error(`${host} is not an address for HTTP`));
  return new Promise((resolve, reject) => {
    const call = request({ ...address, method, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      response.on("error", reject);
    });
    const { timeoutMs } = options;
    if (timeoutMs !== undefined) {
      const timer = setTimeout(() => call.destroy(new NoAnswer(timeoutMs)), timeoutMs);
      call.on("close", () => clearTimeout(timer));
    }
    call.on("error", reject);
    call.end();
  });
}

export class NoAnswer extends Error {
  readonly code = "ETIMEDOUT";

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs / 1000} s`);
  }
}

/** Undefined for what can't be spoken to without help of the docker command (ssh://) or without certificates. */
export function addressOf(host: string): RequestOptions | undefined {
  const [, scheme, rest = ""] = /^([a-z]+):\/\/(.+)$/.exec(host) ?? [];
  if (scheme === "unix") return { socketPath: rest, host: "docker" };
  if (scheme !== "tcp" && scheme !== "http") return undefined;
  const [, name, port] = /^\[?([^\]/]+?)\]?:(\d+)\/?$/.exec(rest) ?? [];
  return name === undefined ? undefined : { host: name, port: Number(port) };
}

/** The `message` of a daemon's refusal. */
export function refusal(answer: DockerAnswer): string {
  try {
    return (JSON.parse(answer.body) as { message?: string }).message ?? answer.body;
  } catch {
    return answer.body.trim() || `HTTP ${answer.status}`;
  }
}
