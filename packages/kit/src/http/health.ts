import type { App } from "./app.ts";
import type { Database } from "../database/database.ts";

/**
 * Adds /healthz (the process is alive) and /readyz (it can serve; otherwise 503 with the reason). Docker and the gateway check
 * /readyz.
 */
export function addHealth(
  app: App,
  lifecycle: { readonly draining: boolean },
  databases: readonly Database[],
): void {
  app.get("/healthz", { schema: { hide: true } }, () => ({ status: "alive" }));
  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    const reason = lifecycle.draining ? "The service is stopping." : await firstProblem(databases);
    if (reason === undefined) return { status: "ready" };
    return reply.code(503).send({ status: "not ready", reason });
  });
}

async function firstProblem(databases: readonly Database[]): Promise<string | undefined> {
  const problems = await Promise.all(databases.map((database) => database.problem()));
  return problems.find((problem) => problem !== undefined);
}
