import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import * as status from "@pulumi/pulumi/proto/status_pb";
import { JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { at, Properties } from "@store/azure-emulator/arm/values";
import { Provider } from "@store/azure-emulator/provider/provider";
import { serve } from "@store/azure-emulator/provider/server";
import { changed, IDS, STAGING, TestCloud } from "./fixture";

describe("The emulated provider's gRPC server", () => {
  let test: TestCloud;
  let client: ResourceProviderClient;
  let close: () => void;
  beforeEach(async () => {
    test = new TestCloud();
    const served = await serve(new Provider(test.cloud, () => test.faults));
    client = new ResourceProviderClient(
      `127.0.0.1:${served.port}`,
      grpc.credentials.createInsecure(),
    );
    close = served.close;
  });
  afterEach(() => {
    client.close();
    close();
    test.dispose();
  });

  const [token, machine] = STAGING.machine;
  const urn = `urn:pulumi:staging::store::${token}::host`;

  it("reports a resource whose creation failed after ARM had accepted it", async () => {
    await test.before("machine");
    test.faults = ["os-provisioning"];
    // The inputs are part of the error, and customData is the largest of them.
    const customData = Buffer.alloc(12_000, "#").toString("base64");
    const request = new proto.CreateRequest()
      .setUrn(urn)
      .setProperties(struct(changed(machine, "osProfile.customData", customData)));
    const error = await new Promise<grpc.ServiceError | null>((done) =>
      client.create(request, (reason) => done(reason)),
    );
    assert.equal(error?.code, grpc.status.UNKNOWN);
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    assert.ok(bytes instanceof Buffer, "the error has details");
    const [any] = status.Status.deserializeBinary(bytes).getDetailsList();
    assert.equal(any?.getTypeName(), "pulumirpc.ErrorResourceInitFailed");
    const detail = proto.ErrorResourceInitFailed.deserializeBinary(any.getValue_asU8());
    assert.equal(detail.getId(), IDS.machine);
    assert.match(detail.getReasonsList()[0] ?? "", /OSProvisioningTimedOut/);
    assert.equal(properties(detail.getProperties())["provisioningState"], "Failed");
    assert.equal(properties(detail.getInputs())["vmName"], "vm");
  });

  it("reports the kind of each change, and overlooks ignoreChanges", async () => {
    const response = await new Promise<proto.DiffResponse>((done, fail) =>
      client.diff(
        new proto.DiffRequest()
          .setUrn(urn)
          .setOldInputs(struct(machine))
          .setNews(struct(changed({ ...machine, tags: { a: "b" } }, "vmName", "other")))
          .setIgnorechangesList(["tags"]),
        (error, found) => (error === null ? done(found) : fail(error)),
      ),
    );
    const { ADD, UPDATE_REPLACE } = proto.PropertyDiff.Kind;
    const kinds: [string, number][] = [];
    response.getDetaileddiffMap().forEach((diff, path) => kinds.push([path, diff.getKind()]));
    assert.deepEqual(kinds.sort(), [
      ["tags", ADD],
      ["vmName", UPDATE_REPLACE],
    ]);
    assert.deepEqual(response.getReplacesList(), ["vmName"]);
    assert.equal(response.getDeletebeforereplace(), true);
  });

  it("reads with the inputs and the outputs in the state", async () => {
    await test.all();
    const read = (inputs: Properties, outputs: Properties): Promise<proto.ReadResponse> =>
      new Promise((done, fail) =>
        client.read(
          new proto.ReadRequest()
            .setId(IDS.machine)
            .setUrn(urn)
            .setInputs(struct(inputs))
            .setProperties(struct(outputs)),
          (error, found) => (error === null ? done(found) : fail(error)),
        ),
      );
    const first = properties((await read(machine, {})).getProperties());
    test.cloud.touchMachines();
    const inputs = properties((await read(machine, first)).getInputs());
    assert.equal(
      at(inputs, "osProfile.linuxConfiguration.patchSettings.assessmentMode"),
      "AutomaticByPlatform",
    );
    assert.equal(at(inputs, "storageProfile.osDisk.caching"), undefined);
  });

  it("remembers that it has generated a name", async () => {
    const check = (before: Properties): Promise<Properties> =>
      new Promise((done, fail) =>
        client.check(
          new proto.CheckRequest()
            .setUrn(urn)
            .setOlds(struct(before))
            .setNews(struct({ resourceGroupName: "store" })),
          (error, found) => (error === null ? done(properties(found.getInputs())) : fail(error)),
        ),
      );
    const inputs = await check({});
    assert.equal(inputs["__createBeforeDelete"], true);
    assert.deepEqual(await check(inputs), inputs);
  });
});

function struct(value: Properties): Struct {
  return Struct.fromJavaScript(value as Record<string, JavaScriptValue>);
}

function properties(value: Struct | undefined): Properties {
  return value?.toJavaScript() ?? {};
}
