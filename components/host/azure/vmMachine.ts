import type * as compute from "@pulumi/azure-native/compute";
import type * as pulumi from "@pulumi/pulumi";
import { readWithoutComments, withArguments } from "../../shell/shell";
import { RemoteMachine } from "../ssh/remote";
import type { SshAccess } from "../ssh/ssh";
import type { AzureHostArgs } from "./azureHostArgs";

interface VmMachineParts {
  readonly access: SshAccess;
  readonly vm: compute.VirtualMachine;
  /** Folder at which a disk must be mounted. */
  readonly folder: string;
  readonly parent: pulumi.Resource | undefined;
}

/** Returns a VM as a machine that cloud-init makes a Docker host. */
export function vmMachine(
  name: string,
  { providers, readyMinutes }: AzureHostArgs,
  { access, vm, folder, parent }: VmMachineParts,
): RemoteMachine {
  return new RemoteMachine(
    name,
    {
      access,
      commands: providers.commands,
      ready: withArguments(readWithoutComments(__dirname, "cloudInitReady.sh"), [folder]),
      // The IP address survives a replacement of the VM, so only the VM's ID shows that everything on the machine is gone.
      machine: vm.vmId,
      isReplaced: true,
      readyMinutes,
    },
    { parent, deletedWith: vm },
  );
}
