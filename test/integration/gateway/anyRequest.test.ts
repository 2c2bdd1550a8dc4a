import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import * as fc from "fast-check";
import { Answer, pick } from "./http";
import { TestAuthority } from "../../support/certificates";
import { httpsOf, sendByHttp2 } from "./https";
import { Gateway, TestNetwork } from "./network";
import { rawRequests, type RawRequest } from "./rawRequests";

describe("the gateway", () => {
  let network: TestNetwork;
  let gateway: Gateway;

  let authority: TestAuthority;

  before(async () => {
    authority = new TestAuthority();
    network = await TestNetwork.create();
    gateway = await network.startGateway({ requests: 0 });
  });
  after(async () => {
    authority.dispose();
    await network.dispose();
  });

  it("answers any request without a 5xx or an internal route, in a readable format", async () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    console.log(`      requests to the gateway: TEST_SEED=${seed}`);
    let runs = 0;
    const property = fc.asyncProperty(rawRequests(), async (request) => {
      runs++;
      assertAcceptable(request, await gateway.sendRaw(request.text));
    });
    await check(property, seed, GENERATED_FOR_MS, () => runs >= GENERATED_REQUESTS / 10);
    console.log(`      ${runs} requests`);
  });

  it("answers any request over HTTP/2 in the same way, or refuses it", async () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    console.log(`      requests over HTTP/2: TEST_SEED=${seed}`);
    const names = ["gateway"];
    const encrypted = await network.startGateway({ requests: 1_000_000 }, {}, [], {
      https: httpsOf(authority.bundle({ names }), names),
    });
    let answered = 0;
    const property = fc.asyncProperty(rawRequests(), async (request) => {
      const answer = await sendByHttp2(encrypted.httpsPort, request);
      if (answer === undefined) return;
      answered++;
      assertAcceptable(request, answer);
    });
    await check(property, seed, GENERATED_FOR_MS / 2, () => answered >= GENERATED_REQUESTS / 100);
    console.log(`      ${answered} answers`);
  });
});

const GENERATED_REQUESTS = 2_000;
/** Time limit; a slower machine sends fewer requests. */
const GENERATED_FOR_MS = 8_000;

/** Checks a property within the time limit, and once more with other requests until they are enough to say anything. */
async function check(
  property: fc.IAsyncProperty<[RawRequest]>,
  seed: number,
  ms: number,
  isEnough: () => boolean,
): Promise<void> {
  for (let round = 0; round === 0 || !isEnough(); round++) {
    await fc.assert(property, {
      seed: seed + round,
      numRuns: GENERATED_REQUESTS,
      interruptAfterTimeLimit: ms,
    });
  }
}

/** Assertions on every response. */
function assertAcceptable(
  { method, readable }: RawRequest,
  { status, head, body }: Pick<Answer, "status" | "head" | "body">,
): void {
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
