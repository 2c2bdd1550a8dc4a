import assert from "node:assert/strict";
import { run } from "../../support/run";

/** Part of what `docker inspect` prints of a container. */
export interface Inspected {
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: string[];
    readonly CapAdd: string[] | null;
    readonly SecurityOpt: string[];
    readonly Memory: number;
    readonly MemorySwap: number;
    readonly PidsLimit: number | null;
    readonly Init: boolean;
    readonly RestartPolicy: { readonly Name: string };
    readonly LogConfig: { readonly Config: Record<string, string> };
  };
  readonly NetworkSettings: { readonly Networks: Record<string, { readonly IPAddress: string }> };
}

/** Inspects a container. */
export async function inspect(id: string): Promise<Inspected> {
  const [found] = JSON.parse((await run("docker", ["inspect", id])).output) as Inspected[];
  assert.ok(found);
  return found;
}
