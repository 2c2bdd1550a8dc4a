import { AZURE_PROBLEMS, BOOT_LOG } from "./azureProblems";

/** A known problem of a host that is another machine. */
export interface HostProblem {
  readonly name: string;
  readonly match: readonly RegExp[];
  /** A clause. */
  readonly cause: string;
  /** Text for completeCommands: STACK stands for the name of the stack. */
  readonly hint: string;
  /** Cause and hint for a machine reached by SSH (store:host is ssh). @default those for Azure */
  readonly onSsh?: { readonly cause?: string; readonly hint: string };
  /** The problem concerns all resources: one message for them. @default false */
  readonly general?: boolean;
  /** The problem is the connection, not the provisioning. @default false */
  readonly connection?: boolean;
}

/** Messages of a VM whose cloud-init failed. It runs once per VM, so a retry on the same VM can't succeed. */
export const FAILED_PROVISIONING =
  /cloud-init has (failed|finished with errors)|Docker doesn't run:/;

export const UNREACHABLE: HostProblem = {
  name: "host-unreachable",
  match: [
    /dial tcp|after \d+ failed attempts|connection (timed out|reset)|handshake failed|custom timeout|deadline exceeded|error during connect/i,
  ],
  cause: "no answer over SSH",
  hint: [
    "Check that store:adminCidrs contains this machine's address and that the VM runs. Raise store:readyMinutes for a slow VM.",
    "If the VM is off (./store stop, store:shutdownTime): ./store start STACK",
    BOOT_LOG,
    "If the VM was deleted: ./store down STACK, which keeps the data, and up again.",
  ].join("\n"),
  onSsh: {
    hint: "Check that the machine runs, and that sshd answers at store:sshAddress and store:sshPort. Raise store:readyMinutes for a machine that starts slowly.",
  },
  connection: true,
};

/** Messages of Azure, cloud-init and SSH, in order of precedence. */
export const PROBLEMS: readonly HostProblem[] = [
  ...AZURE_PROBLEMS,
  {
    name: "data-disk-not-mounted",
    match: [/data disk isn't mounted at/],
    cause: "the VM can't mount the disk with the databases' data",
    hint:
      "Its file system may be damaged; nothing formats it. Log in: ./store ssh STACK. Find the disk with lsblk -f, check it " +
      "with sudo e2fsck -f DEVICE, and start again: sudo reboot. Without access: Azure portal, Serial console.",
  },
  {
    name: "data-disk-size",
    match: [/doesn't see the new size of its data disk/],
    cause: "the data disk has grown, but the VM knows its new size only after a restart",
    hint: "Restart the VM, which takes the store offline for some minutes: ./store reboot STACK",
  },
  {
    name: "data-disk-file-system",
    match: [/the file system on the data disk doesn't grow/],
    cause: "the data disk has grown, but its file system hasn't",
    hint:
      "The line above is resize2fs's. It refuses a file system that needs a check: ./store ssh STACK, sudo docker stop $(sudo docker ps --quiet), " +
      "sudo systemctl stop docker.socket docker, sudo umount /data, sudo e2fsck -f DEVICE, sudo reboot.",
  },
  {
    name: "provisioning-failed",
    match: [FAILED_PROVISIONING],
    cause: "cloud-init finished without a working Docker",
    hint:
      "The lines above are the VM's own output. If a server was unreachable and is reachable again, retry; otherwise check " +
      "store:dockerSource and store:dockerVersion. The next up creates another VM; the data is kept on a disk of its own.",
    onSsh: {
      cause: "Docker doesn't run on the machine",
      hint: "The lines above are the machine's own output. Repair Docker there (systemctl status docker).",
    },
  },
  {
    name: "provisioning-timeout",
    // Anchored: the script, which an error may quote, contains the same text.
    match: [/^not ready within \d+ minutes|custom timeout of \S+ \((?!while dialing)/m],
    cause: "the VM had no working Docker within the time limit",
    hint: `Raise store:readyMinutes. ${BOOT_LOG}`,
    onSsh: {
      cause: "the machine had no working Docker within the time limit",
      hint: "Raise store:readyMinutes, or log in to the machine and see why: journalctl -u docker.",
    },
  },
  {
    name: "host-key-mismatch",
    match: [/host key mismatch|knownhosts: key mismatch|ssh: handshake failed: ssh: host key/i],
    cause: "the machine at this address has an unexpected host key",
    hint: "Another machine may have got the address. Find out which one before you continue. Nothing was sent to it.",
    connection: true,
  },
  {
    name: "ssh-login",
    match: [/unable to authenticate|Permission denied \(publickey/i],
    cause: "the machine rejects the SSH key",
    hint: "store:sshPublicKey must belong to store:sshPrivateKey.",
    onSsh: {
      hint: "Add the public key of store:sshPrivateKey (ssh-keygen -y -f FILE prints it) to ~/.ssh/authorized_keys of store:sshUser on the machine.",
    },
    connection: true,
  },
  UNREACHABLE,
];
