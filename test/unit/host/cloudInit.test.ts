import Ajv from "ajv-draft-04";
import addFormats from "ajv-formats";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { cloudInit, CloudInitArgs } from "../../../components/host/azure/cloudInit";

describe("cloudInit", () => {
  const args: CloudInitArgs = {
    adminUser: "azureuser",
    distribution: "debian",
    hostKey: {
      private: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
      public: "ssh-ed25519 AAAA",
    },
    docker: "docker",
    dataDevice: "/dev/disk/azure/scsi1/lun0",
  };

  for (const [what, change] of [
    ["from Docker's repository", {}],
    ["of an exact version", { dockerVersion: "5:28.5.2-1~debian.12~bookworm" }],
    ["from the distribution", { docker: "distribution", dataDevice: undefined }],
    ["on Ubuntu", { distribution: "ubuntu" }],
  ] as const) {
    it(`is valid by cloud-init's schema with Docker ${what}`, () => {
      assert.deepEqual(problems(cloudInit({ ...args, ...change })), []);
    });
  }

  it("is invalid by the schema with a wrong key", () => {
    assert.notDeepEqual(problems(cloudInit(args).replace('"runcmd":', '"runcmds":')), []);
  });

  it("starts with #cloud-config, without which cloud-init ignores it", () => {
    assert.equal(cloudInit(args).split("\n")[0], "#cloud-config");
  });

  it("sets the given SSH host key and no other", () => {
    const config = parse(cloudInit(args)) as Record<string, unknown>;
    assert.deepEqual(config["ssh_keys"], {
      ed25519_private: args.hostKey.private,
      ed25519_public: args.hostKey.public,
    });
    assert.equal(config["ssh_deletekeys"], true);
  });

  it("opens no port of the Docker daemon and keeps containers running during its upgrades", () => {
    const { write_files: files } = parse(cloudInit(args)) as {
      write_files: { path: string; content: string }[];
    };
    const daemon = files.find(({ path }) => path === "/etc/docker/daemon.json");
    const settings = JSON.parse(daemon?.content ?? "{}") as Record<string, unknown>;
    assert.equal(settings["live-restore"], true);
    assert.equal("hosts" in settings, false);
  });

  it("excludes Docker from the unattended upgrades", () => {
    const { write_files: files } = parse(cloudInit(args)) as { write_files: { content: string }[] };
    assert.match(
      files.map(({ content }) => content).join(""),
      /Package-Blacklist \{.*"docker\\\.io";.*\}/,
    );
  });

  it("never formats a disk that isn't empty", () => {
    const config = parse(cloudInit(args)) as { bootcmd: string[][]; fs_setup?: unknown };
    // fs_setup formats a disk without partitions on every new VM.
    assert.equal(config.fs_setup, undefined);
    const [[shell = "", ...command] = []] = config.bootcmd;
    for (const [found, formatted] of [
      ["0", false],
      ["2", true],
      ["8", false],
    ] as const) {
      const folder = mkdtempSync(join(tmpdir(), "store-test-"));
      try {
        const tool = (name: string, text: string): void =>
          writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
        tool("blkid", `exit ${found}`);
        tool("mkfs.ext4", `touch ${folder}/formatted`);
        // Without a disk: the tools are replaced, and the test for a block device always succeeds.
        const script = command.map((word) => word.replaceAll("[ -b ", "[ -n "));
        execFileSync(shell, script, { env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` } });
        assert.equal(existsSync(join(folder, "formatted")), formatted, `blkid ended with ${found}`);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  });

  it("installs Docker's packages with Docker's own key", () => {
    const { apt } = parse(cloudInit(args)) as {
      apt: { sources: Record<string, { source: string; key: string }> };
    };
    assert.match(apt.sources["docker.list"]?.source ?? "", /signed-by=\$KEY_FILE/);
    assert.match(apt.sources["docker.list"]?.key ?? "", /^-----BEGIN PGP PUBLIC KEY BLOCK-----/);
  });
});

/** Returns the violations of cloud-init's schema. */
function problems(text: string): string[] {
  validate(parse(text));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

// From Debian's package cloud-init 22.4.2: /usr/lib/python3/dist-packages/cloudinit/config/schemas/.
const schema = JSON.parse(
  readFileSync(join(__dirname, "cloud-init-22.4.2.schema.json"), "utf8"),
) as object;
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
// Stricter than the schema, which permits unknown top-level keys because cloud-init only warns of them.
const validate = ajv.compile({
  ...schema,
  additionalProperties: false,
  properties: topLevelKeys(),
});

function topLevelKeys(): Record<string, object> {
  const { allOf, $defs } = schema as {
    allOf: { $ref: string }[];
    $defs: Record<string, { properties?: Record<string, object> }>;
  };
  const names = allOf.map(({ $ref }) => $ref.split("/").at(-1) ?? "");
  return Object.fromEntries(
    names.flatMap((name) => Object.keys($defs[name]?.properties ?? {})).map((key) => [key, {}]),
  );
}
