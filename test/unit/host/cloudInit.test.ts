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
    assert.deepEqual(settings["default-address-pools"], [{ base: "172.17.0.0/16", size: 24 }]);
  });

  it("excludes Docker from the unattended upgrades", () => {
    const { write_files: files } = parse(cloudInit(args)) as { write_files: { content: string }[] };
    assert.match(
      files.map(({ content }) => content).join(""),
      /Package-Blacklist \{.*"docker\\\.io";.*\}/,
    );
  });

  const fileAt = (path: string, change: Partial<CloudInitArgs> = {}): string | undefined =>
    (
      parse(cloudInit({ ...args, ...change })) as {
        write_files: { path: string; content: string }[];
      }
    ).write_files.find((one) => one.path === path)?.content;

  it("starts Docker after the data disk is mounted", () => {
    const path = "/etc/systemd/system/docker.service.d/10-store.conf";
    assert.equal(fileAt(path), "[Unit]\nRequiresMountsFor=/data\n");
    assert.equal(fileAt(path, { dataDevice: undefined }), undefined);
  });

  it("mounts the data disk, and grows its file system to the size of the disk", () => {
    const { mounts } = parse(cloudInit(args)) as { mounts: string[][] };
    // One line only: systemd takes the first line of a folder.
    const [[device, folder, , options = ""] = [], ...others] = mounts;
    assert.deepEqual([device, folder, others], ["/dev/disk/azure/scsi1/lun0", "/data", []]);
    assert.ok(options.split(",").includes("x-systemd.growfs"));
  });

  it("rejects connections of containers to Azure's metadata service and agent endpoint, except for DNS", () => {
    const unit = fileAt("/etc/systemd/system/store-firewall.service") ?? "";
    assert.match(unit, /^Before=docker\.service$/m);
    const rules = unit.split("\n").filter((line) => line.includes("--insert DOCKER-USER"));
    assert.deepEqual(
      rules.map((rule) => rule.replace(/^.*--destination /, "")),
      ["169.254.169.254 --jump REJECT", "168.63.129.16 --protocol tcp ! --dport 53 --jump REJECT"],
    );
    // Only bridge networks of containers, and not the answers to what the host asks.
    assert.match(unit, /--insert INPUT --in-interface br-\+ .*--ctstate NEW --jump REJECT$/m);
    assert.match(cloudInit({ ...args, dataDevice: undefined }), /"store-firewall\.service"/);
  });

  describe("boot commands", () => {
    let folder = "";
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-test-"))));
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    /** Runs a command of each boot with other arguments, and these scripts instead of the system's commands. */
    function run(script: string, replaced: readonly string[], tools: Record<string, string>): void {
      const { bootcmd } = parse(cloudInit(args)) as { bootcmd: string[][] };
      const command = bootcmd.find((words) => words.includes(script)) ?? [];
      const [shell = "", ...words] = command.slice(0, command.indexOf(script) + 1);
      for (const [name, text] of Object.entries(tools))
        writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      execFileSync(
        shell,
        // Without a disk: every file counts as a block device.
        [...words.map((word) => word.replaceAll("[ -b ", "[ -f ")), ...replaced],
        { env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` }, stdio: "pipe" },
      );
    }

    const EMPTY = Buffer.alloc(2 << 20);
    const DAMAGED = Buffer.alloc(2 << 20);
    DAMAGED.write("data", 8192);
    for (const [what, blkid, content, formatted] of [
      ["an empty disk", 2, EMPTY, true],
      ["a disk with a file system", 0, DAMAGED, false],
      ["a disk with several signatures", 8, DAMAGED, false],
      ["a disk with a damaged superblock, which blkid doesn't recognize", 2, DAMAGED, false],
    ] as const) {
      it(`${formatted ? "format" : "don't format"} ${what}`, () => {
        const disk = join(folder, "disk");
        writeFileSync(disk, content);
        run("formatEmptyDisk.sh", [disk], {
          blkid: `exit ${blkid}`,
          "mkfs.ext4": `for last in "$@"; do :; done; echo "$last" >${folder}/formatted`,
        });
        assert.equal(existsSync(join(folder, "formatted")), formatted);
        if (formatted) assert.equal(readFileSync(join(folder, "formatted"), "utf8").trim(), disk);
      });
    }

    it("never use fs_setup, which formats a disk without partitions on every new VM", () => {
      assert.equal((parse(cloudInit(args)) as { fs_setup?: unknown }).fs_setup, undefined);
    });

    it("tell Azure's agent the type of the host key, at each boot", () => {
      const file = join(folder, "waagent.conf");
      writeFileSync(file, "Provisioning.Agent=auto\nProvisioning.SshHostKeyPairType=auto\n");
      for (let boot = 0; boot < 2; boot++) run("agentHostKey.sh", [file], {});
      assert.equal(
        readFileSync(file, "utf8"),
        "Provisioning.Agent=auto\nProvisioning.SshHostKeyPairType=ed25519\n",
      );
    });

    it("tell the agent of Ubuntu, which has the same file with another default", () => {
      const file = join(folder, "waagent.conf");
      writeFileSync(file, "Provisioning.SshHostKeyPairType=rsa\nResourceDisk.Format=n\n");
      run("agentHostKey.sh", [file], {});
      assert.equal(
        readFileSync(file, "utf8"),
        "ResourceDisk.Format=n\nProvisioning.SshHostKeyPairType=ed25519\n",
      );
    });

    it("do nothing for Azure's agent where there is none", () => {
      run("agentHostKey.sh", [join(folder, "waagent.conf")], {});
      assert.equal(existsSync(join(folder, "waagent.conf")), false);
    });
  });

  for (const distribution of ["debian", "ubuntu"] as const) {
    it(`installs Docker's packages for ${distribution}, of the release that the VM has`, () => {
      const { apt } = parse(cloudInit({ ...args, distribution })) as {
        apt: { sources: Record<string, { source: string }> };
      };
      // cloud-init replaces $RELEASE by the code name: bookworm, trixie, noble.
      assert.match(
        apt.sources["docker.list"]?.source ?? "",
        new RegExp(`https://download\\.docker\\.com/linux/${distribution} \\$RELEASE stable$`),
      );
    });
  }

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
