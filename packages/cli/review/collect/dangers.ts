import { isWorkerName } from "../../../../components/host/azure/vmNames";
import { LABEL } from "../../../../components/container/labelNames";
import type { Danger } from "../model/reviewModel";
import { shorten } from "../model/shorten";
import type { EngineStep } from "./engineStep";
import { exposures } from "./exposure";
import { typeKey } from "./publicValues";
import { serviceOf } from "./serviceNames";
import { VOLUME_TYPE, VM_TYPE, DISK_TYPE } from "../../state/resourceTypes";

/**
 * Returns the dangers of a preview: data that would be deleted or replaced by an empty volume or disk, new ways in, and a virtual
 * machine that would be deleted or replaced.
 *
 * @param first The stack doesn't exist yet.
 */
export function findDangers(
  steps: readonly EngineStep[],
  services: readonly string[],
  first: boolean,
): Danger[] {
  return steps.flatMap((step) => {
    const { operation, type, name, old } = step;
    const service = serviceOf(name, services);
    const common = {
      operation,
      type: shorten(type),
      name: shorten(name),
      ...(old?.protect === true && { protected: true }),
      ...(service !== undefined && { service }),
    };
    const gone = operation === "delete" || operation === "replace";
    return [
      ...(gone && holdsData(step) ? [{ kind: "data" as const, ...common }] : []),
      ...exposures(step, first).map((exposure) => ({
        kind: "exposure" as const,
        ...common,
        ...exposure,
      })),
      ...(gone && isHostsVm(step) ? [{ kind: "vm" as const, ...common }] : []),
    ];
  });
}

/** Checks for the VM without which the store is offline; that of a worker isn't. */
export function isHostsVm({ type, name }: Pick<EngineStep, "type" | "name">): boolean {
  return typeKey(type) === VM_TYPE && !isWorkerName(name);
}

/** Checks for a volume, a disk, or anything that is protected: it can't be made again. */
function holdsData({ type, old }: EngineStep): boolean {
  if (old?.protect === true || typeKey(type) === DISK_TYPE) return true;
  return type === VOLUME_TYPE && !isBindMount(old?.inputs) && !isReplaceable(old?.inputs);
}

type Inputs = Readonly<Record<string, unknown>>;

/** Checks for a volume that names a folder of the host's data disk, so that its deletion deletes no data. */
function isBindMount(inputs: Inputs = {}): boolean {
  const options = inputs["driverOpts"] as Inputs | undefined;
  return options?.["o"] === "bind";
}

/** Roles of volumes whose content can be made again, as in policy/rules/data.ts. */
const REPLACEABLE: readonly unknown[] = ["files", "certificates"];

/** Checks for a volume with files that the program writes, or with certificates that it can order again. */
function isReplaceable(inputs: Inputs = {}): boolean {
  const { labels } = inputs;
  return (
    Array.isArray(labels) &&
    (labels as readonly Inputs[]).some(
      ({ label, value }) => label === LABEL.role && REPLACEABLE.includes(value),
    )
  );
}
