import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import * as fc from "fast-check";
import { Answer, pick } from "./http";
import { Gateway, TestNetwork } from "./network";
import { rawRequests, type RawRequest } from "./rawRequests";

describe("the gateway", function () {
  this.timeout("3m");
  let network: TestNetwork;
  let gateway: Gateway;

  before(async () => {
    network = await TestNetwork.create();
    gateway = await network.startGateway({ requests: 0 });
  });
  after(() => network.dispose());

  it("answers any request without a 5xx or an internal route, in a readable format", async () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    console.log(`      requests to the gateway: TEST_SEED=${seed}`);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(rawRequests(), async (request) => {
        runs++;
        assertAcceptable(request, await gateway.sendRaw(request.text));
      }),
      {
        seed,
        numRuns: GENERATED_REQUESTS,
        interruptAfterTimeLimit: GENERATED_FOR_MS,
      },
    );
    console.log(`      ${runs} requests`);
    assert.ok(runs >= GENERATED_REQUESTS / 10, "too few requests to say anything");
  });
});

const GENERATED_REQUESTS = 2_000;
/** Time limit; a slower machine sends fewer requests. */
const GENERATED_FOR_MS = 8_000;

/** Assertions on every response. */
function assertAcceptable({ method, readable }: RawRequest, { status, head, body }: Answer): void {
  assert.ok(status >= 200 && status < 500, `${status}: ${body}`);
  assert.doesNotMatch(body, REACHED);
  const header = (name: string) => new RegExp(`^${name}: *(.*)\\r?$`, "im").exec(head)?.[1];
  if (header("x-answered-by") !== undefined || !readable) return;
  const id = header("x-request-id");
  assert.match(id ?? "", /^[A-Za-z0-9._-]{8,64}$/, `${status}: ${body}`);
  const type = header("content-type");
  if (status === 200) {
    assert.equal(type, "application/json");
    return;
  }
  assert.equal(type, "application/problem+json");
  if (method === "HEAD") return;
  const problem = JSON.parse(body) as unknown;
  assert.deepEqual(pick(problem, "status", "type", "instance"), {
    ...{ status, type: "about:blank", instance: `urn:store:request:${id}` },
  });
}

/** Response of a service that was reached on an internal route. */
const REACHED = /"reached":"INTERNAL"/;
