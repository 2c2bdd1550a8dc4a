import assert from "node:assert/strict";
import { failedVm } from "@store/cli/host/failedProvisioning";
import { applyRulesTo, diagnose, engineEvents, failedStep, TestEvent } from "./failedRun";

/** Messages of Azure, its provider and SSH, recorded or from their documentation. */
const MESSAGES: readonly [rule: string, message: string, hint: RegExp][] = [
  [
    "azure-login",
    "error building Azure client: please run `az login` to log in to Azure, or set the credentials of a service principal",
    /az login/,
  ],
  [
    "azure-login",
    "DefaultAzureCredential: failed to acquire a token. Attempted credentials: AzureCLICredential: Please run 'az login'",
    /az login/,
  ],
  [
    "azure-subscription",
    `Status=404 Code="SubscriptionNotFound" Message="The subscription '1' could not be found."`,
    /store:subscriptionId/,
  ],
  [
    "azure-permission",
    `Status=403 Code="AuthorizationFailed" Message="The client 'a' does not have authorization to perform action 'b'"`,
    /Contributor/,
  ],
  [
    "azure-quota",
    `Status=409 Code="OperationNotAllowed" Message="Operation could not be completed as it results in exceeding approved standardDSv2Family Cores quota."`,
    /store:vmSize/,
  ],
  [
    "azure-vm-size",
    `Status=409 Code="SkuNotAvailable" Message="The requested VM size is currently not available in location 'australiaeast'."`,
    /store:vmSize or store:location/,
  ],
  [
    "azure-vm-size",
    `Status=400 Code="InvalidParameter" Message="The value Standard_X1 provided for the VM size is not valid. The valid sizes in the current region are: Standard_B2s."`,
    /az vm list-skus/,
  ],
  [
    "azure-address-range",
    `Status=400 Code="VnetAddressSpaceOverlapsWithAlreadyPeeredVnet" Message="The address space of the virtual network overlaps"`,
    /store:addressRange/,
  ],
  [
    "azure-address-range",
    `Status=400 Code="NetcfgInvalidSubnet" Message="Subnet 'host' is not valid in virtual network 'host'."`,
    /store:addressRange/,
  ],
  [
    "azure-dns-label",
    `Status=400 Code="DnsRecordInUse" Message="DNS record store.australiaeast.cloudapp.azure.com is already used by another public IP."`,
    /store:dnsLabel/,
  ],
  [
    "azure-unknown-vm",
    `Status=409 Code="NicInUse" Message="Network Interface a is used by existing resource b."`,
    /az vm delete/,
  ],
  [
    "azure-not-found",
    `Status=404 Code="ResourceGroupNotFound" Message="Resource group 'host' could not be found."`,
    /--refresh/,
  ],
  [
    "azure-conflict",
    `Status=409 Code="OperationNotAllowed" Message="Another operation is in progress on the virtual machine. Try again later."`,
    /\.\/store preview dev --refresh/,
  ],
  [
    "provisioning-failed",
    `Process exited with status 1: running "script=$(cat); …":\ncloud-init: …\ncloud-init has finished with errors: ('package_update_upgrade_install', …). The end of /var/log/cloud-init-output.log:`,
    /another VM; the data/,
  ],
  [
    "provisioning-timeout",
    `Process exited with status 124: running "…":\nnot ready within 15 minutes (store:readyMinutes)`,
    /store:readyMinutes/,
  ],
  [
    "provisioning-timeout",
    `not done within its custom timeout of 16m0s (wait: remote command exited without exit status): running "…":\ncloud-init: …`,
    /store:readyMinutes/,
  ],
  [
    "host-key-mismatch",
    "203.0.113.7:22: host key mismatch: expected SHA256:a, got SHA256:b",
    /before you continue/,
  ],
  [
    "ssh-login",
    "after 13 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey]",
    /store:sshPrivateKey/,
  ],
  ...[
    "after 13 failed attempts: dial tcp 203.0.113.7:22: connect: connection refused",
    "after 13 failed attempts: ssh: handshake failed: read tcp 127.0.0.1:1->203.0.113.7:22: read: connection reset by peer",
    "not done within its custom timeout of 2m0s (while dialing 203.0.113.7:22: …)",
    "context deadline exceeded",
  ].map((message): [string, string, RegExp] => [
    "host-unreachable",
    message,
    /store:adminCidrs.*store:readyMinutes/,
  ]),
];

const AZURE = { config: { "store:host": "azure" } };

describe("diagnoseRun for a stack with another host", () => {
  for (const [rule, message, hint] of MESSAGES) {
    it(`finds ${rule} in: ${message.slice(0, 80)}`, async () => {
      const events = failedStep("command:remote:Command", "host-ready", message);
      assert.deepEqual(
        applyRulesTo(events, { local: false }).map((found) => found.rule.name),
        [rule],
      );
      const error = await diagnose(events, AZURE);
      assert.match(error.hint ?? "", hint);
      assert.match(error.hint ?? "", /\nThen: \.\/store up$/);
    });
  }

  it("reports a message of the program, such as a missing login, in the same way", async () => {
    const message = "error building Azure client: please run `az login` to log in to Azure";
    const error = await diagnose(
      engineEvents({ diagnosticEvent: { severity: "error", message } }),
      AZURE,
    );
    assert.match(error.summary, /^Host provisioning failed/);
    assert.match(error.hint ?? "", /az login/);
  });

  it("names the type of the Azure resource, because all have the same name", async () => {
    for (const [type, words] of [
      ["azure-native:network:PublicIPAddress", /public IP address/],
      ["azure-native:compute:VirtualMachine", /virtual machine/],
    ] as const) {
      assert.match((await diagnose(failedStep(type, "host", "Status=409"), AZURE)).summary, words);
    }
  });

  it("reports a lost Docker daemon as an unreachable host", async () => {
    const message = "Cannot connect to the Docker daemon at ssh://store-dev. Is it running?";
    const error = await diagnose(
      failedStep("docker:index/network:Network", "backend", message),
      AZURE,
    );
    assert.match(error.summary, /^Host unreachable/);
    assert.match(error.hint ?? "", /store:adminCidrs/);
  });

  it("names no keys and tools of Azure for a machine reached by SSH", async () => {
    const ssh = { config: { "store:host": "ssh" } };
    for (const [message, hint] of [
      ["dial tcp 203.0.113.7:22: i/o timeout", /store:sshAddress/],
      ["Docker doesn't run: no such unit.", /systemctl status docker/],
      ["not ready within 15 minutes", /journalctl -u docker/],
      ["ssh: unable to authenticate, attempted methods [none publickey]", /authorized_keys/],
    ] as const) {
      const error = await diagnose(failedStep("command:remote:Command", "host", message), ssh);
      assert.match(error.hint ?? "", hint);
      assert.doesNotMatch(
        `${error.summary}${error.hint}`,
        /cloud-init|adminCidrs|Azure|\bVM\b|sshPublicKey/,
      );
    }
  });

  it("doesn't take a conflict that Docker reports for one of Azure's", () => {
    const message = 'Conflict. The container name "/x" is already in use';
    const [found] = applyRulesTo(failedStep("docker:index/container:Container", "x", message), {
      local: false,
    });
    assert.equal(found?.rule.name, "resource-failed");
  });

  it("doesn't guess the cause of an unknown message, or of a local stack's", () => {
    for (const [message, local] of [
      ["something else went wrong", false],
      ["dial tcp: connection refused", true],
    ] as const) {
      const [found] = applyRulesTo(failedStep("x:y:Z", "x", message), { local });
      assert.equal(found?.rule.name, "resource-failed");
    }
  });
});

describe("failedVm", () => {
  const vm =
    "urn:pulumi:staging::store::store:index:AzureHost$azure-native:compute:VirtualMachine::host";
  const vmStep: TestEvent = {
    resourcePreEvent: {
      metadata: { op: "same", urn: vm, type: "azure-native:compute:VirtualMachine" },
    },
  };
  const failure = (message: string): TestEvent => ({
    diagnosticEvent: { severity: "error", message },
  });

  it("is the VM whose cloud-init failed or left no working Docker", () => {
    for (const message of [
      "<{%reset%}>cloud-init has failed (error).<{%reset%}>",
      "Docker doesn't run: no such unit.",
    ]) {
      assert.equal(failedVm(engineEvents(vmStep, failure(message))), vm);
    }
  });

  it("is undefined if the VM was only unreachable, or not ready in time", () => {
    for (const message of ["after 13 failed attempts: dial tcp", "not ready within 15 minutes"]) {
      assert.equal(failedVm(engineEvents(vmStep, failure(message))), undefined);
    }
  });

  it("is undefined if the run has no VM", () => {
    assert.equal(failedVm(engineEvents(failure("cloud-init has failed (error)."))), undefined);
  });
});
