import assert from "node:assert/strict";
import { EngineEvent } from "@store/cli/engine/events";
import { hostProblem } from "@store/cli/diagnostics/hostDiagnostics";
import { failedVm } from "@store/cli/host/failedProvisioning";

/** Messages of Azure, of its provider and of SSH, as they came or are documented. */
const MESSAGES: readonly [message: string, what: RegExp, remedy: RegExp][] = [
  [
    "error building Azure client: please run `az login` to log in to Azure, or set the credentials of a service principal",
    /nobody is logged in/,
    /az login/,
  ],
  [
    "DefaultAzureCredential: failed to acquire a token. Attempted credentials: AzureCLICredential: Please run 'az login'",
    /nobody is logged in/,
    /az login/,
  ],
  [
    `Status=404 Code="SubscriptionNotFound" Message="The subscription '1' could not be found."`,
    /no such subscription/,
    /store:subscriptionId/,
  ],
  [
    `Status=403 Code="AuthorizationFailed" Message="The client 'a' does not have authorization to perform action 'b'"`,
    /may not do that/,
    /Contributor/,
  ],
  [
    `Status=409 Code="OperationNotAllowed" Message="Operation could not be completed as it results in exceeding approved standardDSv2Family Cores quota."`,
    /quota is used up/,
    /store:vmSize/,
  ],
  [
    `Status=409 Code="SkuNotAvailable" Message="The requested VM size is currently not available in location 'australiaeast'."`,
    /doesn't have this size there/,
    /store:vmSize or store:location/,
  ],
  [
    `Status=400 Code="InvalidParameter" Message="The value Standard_X1 provided for the VM size is not valid. The valid sizes in the current region are: Standard_B2s."`,
    /doesn't have this size there/,
    /az vm list-skus/,
  ],
  [
    `Status=400 Code="VnetAddressSpaceOverlapsWithAlreadyPeeredVnet" Message="The address space of the virtual network overlaps"`,
    /overlaps with another one/,
    /store:addressRange/,
  ],
  [
    `Status=400 Code="NetcfgInvalidSubnet" Message="Subnet 'host' is not valid in virtual network 'host'."`,
    /overlaps with another one/,
    /store:addressRange/,
  ],
  [
    `Status=409 Code="NicInUse" Message="Network Interface a is used by existing resource b."`,
    /stack doesn't know of/,
    /az vm delete/,
  ],
  [
    `Status=404 Code="ResourceGroupNotFound" Message="Resource group 'host' could not be found."`,
    /isn't there any more/,
    /--refresh/,
  ],
  [
    `Status=409 Code="OperationNotAllowed" Message="Another operation is in progress on the virtual machine. Try again later."`,
    /refuses that as things are/,
    /wait for it/,
  ],
  [
    `Process exited with status 1: running "script=$(cat); …":\ncloud-init: …\ncloud-init has finished with errors: ('package_update_upgrade_install', …). The end of /var/log/cloud-init-output.log:`,
    /didn't become a Docker host/,
    /another machine; the data/,
  ],
  [
    `Process exited with status 124: running "…":\nnot ready within 15 minutes (store:readyMinutes)`,
    /took too long/,
    /store:readyMinutes/,
  ],
  [
    `not done within its custom timeout of 16m0s (wait: remote command exited without exit status): running "…":\ncloud-init: …`,
    /took too long/,
    /store:readyMinutes/,
  ],
  [
    "203.0.113.7:22: host key mismatch: expected SHA256:a, got SHA256:b",
    /another host key/,
    /Find out who/,
  ],
  [
    "after 13 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey]",
    /doesn't take our login key/,
    /store:sshPrivateKey/,
  ],
  ...[
    "after 13 failed attempts: dial tcp 203.0.113.7:22: connect: connection refused",
    "after 13 failed attempts: ssh: handshake failed: read tcp 127.0.0.1:1->203.0.113.7:22: read: connection reset by peer",
    "not done within its custom timeout of 2m0s (while dialing 203.0.113.7:22: …)",
    "context deadline exceeded",
  ].map((message): [string, RegExp, RegExp] => [
    message,
    /doesn't answer SSH/,
    /store:adminCidrs.*store:readyMinutes/,
  ]),
];

describe("why a host can't be had", () => {
  for (const [message, what, remedy] of MESSAGES) {
    it(`is told of: ${message.slice(0, 100)}`, () => {
      const problem = hostProblem(message);
      assert.match(problem?.what ?? "", what);
      assert.match(problem?.remedy ?? "", remedy);
    });
  }

  it("isn't made up where nobody knows", () => {
    assert.equal(hostProblem("something else went wrong"), undefined);
  });
});

describe("a machine that is replaced by the next up", () => {
  const vm =
    "urn:pulumi:staging::store::store:index:AzureHost$azure-native:compute:VirtualMachine::host";
  const seen: EngineEvent = {
    resourcePreEvent: {
      metadata: { op: "same", urn: vm, type: "azure-native:compute:VirtualMachine" },
    },
  };
  const failure = (message: string): EngineEvent => ({
    diagnosticEvent: { severity: "error", message },
  });

  it("is one that cloud-init has left half done", () => {
    const events = [seen, failure("<{%reset%}>cloud-init has failed (error).<{%reset%}>")];
    assert.equal(failedVm(events), vm);
    assert.equal(failedVm([seen, failure("Docker doesn't run: no such unit.")]), vm);
  });

  it("is none that only wasn't reached, or wasn't ready in time", () => {
    assert.equal(failedVm([seen, failure("after 13 failed attempts: dial tcp")]), undefined);
    assert.equal(failedVm([seen, failure("not ready within 15 minutes")]), undefined);
  });

  it("is none where there is none", () => {
    assert.equal(failedVm([failure("cloud-init has failed (error).")]), undefined);
  });
});
