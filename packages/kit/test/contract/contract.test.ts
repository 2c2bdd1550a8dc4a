import assert from "node:assert/strict";
import fc from "fast-check";
import { callerToken, testSeed } from "../support/index.ts";
import { send } from "./sendRequest.ts";
import { fetchDocument, operationsOf } from "./document.ts";
import { ResponseChecker } from "./responseChecker.ts";
import { cases, documented, type Case } from "./requests.ts";
import { names, startTestServices, type TestServices } from "./testServices.ts";

/** Number of requests for each operation. */
const REQUESTS = 75;

/** Maximum number of further documented requests if none has succeeded. At least one in fifty is expected to. */
const FURTHER_REQUESTS = 1_000;

describe("the OpenAPI documents", () => {
  let running: TestServices;

  before(async () => {
    running = await startTestServices();
  });
  after(() => running.stop());

  for (const name of names) {
    it(`describe the responses of ${name} to valid and mutated requests`, async () => {
      const seed = testSeed(name);
      const service = running.services[name];
      const document = await fetchDocument(service);
      const checker = new ResponseChecker(document);
      const statuses = new Map<string, Map<number, number>>();
      for (const operation of operationsOf(document)) {
        const counts = new Map<number, number>();
        statuses.set(operation.name, counts);
        const hasSucceeded = () => [...counts.keys()].some((status) => status < 300);
        const sendAndCheck = async (one: Case) => {
          const answer = await send(service.url, one.sent);
          counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
          const violations = checker.violations(operation, one, answer);
          const { method, path, headers, body } = one.sent;
          assert.equal(
            violations.join("\n"),
            "",
            `${operation.name}, ${one.mutation}: ${method} ${path} ${JSON.stringify(headers)} ` +
              `${body?.toString().slice(0, 1_000)}\ngot ${answer.status} ${answer.text.slice(0, 1_000)}`,
          );
        };
        const token = operation.path.startsWith("/internal/") ? callerToken : running.staff.token;
        const from = [operation, running.known[name], token] as const;
        await fc.assert(fc.asyncProperty(cases(...from), sendAndCheck), {
          seed,
          numRuns: REQUESTS,
        });
        for (const one of fc.sample(documented(...from), { seed, numRuns: FURTHER_REQUESTS })) {
          if (hasSucceeded()) break;
          await sendAndCheck(one);
        }
        // Ensures that the generated requests exercise the operation.
        assert.ok(hasSucceeded(), `no request to ${operation.name} succeeded`);
      }
      for (const [operation, counts] of statuses) {
        const list = [...counts].sort(([a], [b]) => a - b).map(([status, n]) => `${n} × ${status}`);
        console.log(`      ${operation}: ${list.join(", ")}`);
      }
    });
  }
});
