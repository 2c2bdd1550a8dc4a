import assert from "node:assert/strict";
import fc from "fast-check";
import { testSeed } from "../support/index.ts";
import { send } from "./answers.ts";
import { fetchDocument, operationsOf } from "./document.ts";
import { ResponseChecker } from "./judge.ts";
import { cases, documented, type Case } from "./requests.ts";
import { names, startTestServices, type TestServices } from "./stand.ts";

/** Requests for each operation. */
const REQUESTS = 150;

/** How many more at most, where none of those went well: of those as documented at least one in fifty does. */
const FURTHER = 1_000;

describe("what the services publish", function () {
  this.timeout(600_000);
  let stand: TestServices;

  before(async () => {
    stand = await startTestServices();
  });
  after(() => stand.stop());

  for (const name of names) {
    it(`is what ${name} does, whatever it is sent`, async () => {
      const seed = testSeed(name);
      const service = stand.services[name];
      const document = await fetchDocument(service);
      const judge = new ResponseChecker(document);
      const statuses = new Map<string, Map<number, number>>();
      for (const operation of operationsOf(document)) {
        const counts = new Map<number, number>();
        statuses.set(operation.name, counts);
        const wentWell = () => [...counts.keys()].some((status) => status < 300);
        const ask = async (one: Case) => {
          const answer = await send(service.url, one.sent);
          counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
          const faults = judge.violations(operation, one, answer);
          const { method, path, headers, body } = one.sent;
          assert.equal(
            faults.join("\n"),
            "",
            `${operation.name}, ${one.mutation}: ${method} ${path} ${JSON.stringify(headers)} ` +
              `${body?.toString().slice(0, 1_000)}\nwas answered ${answer.status} ${answer.text.slice(0, 1_000)}`,
          );
        };
        const from = [operation, stand.known[name], stand.staff.token] as const;
        await fc.assert(fc.asyncProperty(cases(...from), ask), { seed, numRuns: REQUESTS });
        for (const one of fc.sample(documented(...from), { seed, numRuns: FURTHER })) {
          if (wentWell()) break;
          await ask(one);
        }
        // Otherwise the requests have become too poor to come to anything.
        assert.ok(wentWell(), `${operation.name} never went well`);
      }
      for (const [operation, counts] of statuses) {
        const list = [...counts].sort(([a], [b]) => a - b).map(([status, n]) => `${n} × ${status}`);
        console.log(`      ${operation}: ${list.join(", ")}`);
      }
    });
  }
});
