import { ArmError, conflict, FailedOperation } from "./armError";
import { typeOf } from "./catalogue";
import { type Clock, REAL_CLOCK } from "./state/clock";
import { validateCommonRules } from "./commonRules";
import { faultOf, Operation } from "./faultErrors";
import { limitsUnder } from "./faults";
import { isAllocated, machineFailure, touchedMachine } from "./state/machineFailure";
import { idOf, Put, Resource, ResourceType, sameId, View } from "./resourceType";
import type { CloudOptions } from "./state/cloudOptions";
import type { PowerState } from "./state/hardware";
import { Reservations } from "./state/reservations";
import { readState, writeState } from "./state/stateFile";
import { locksIn, validateUnlocked, validateWritable } from "./types/authorization";
import { isLarger } from "./types/compute/disk";
import { deletedWith, osDiskOf } from "./types/compute/osDisk";
import { DISK, MACHINE } from "./types/compute/references";
import { REGISTRY } from "./types/containerregistry";
import { at, Properties, same, textAt } from "./values";

/** The only subscription in the emulated cloud. */
export const SUBSCRIPTION = "00000000-0000-4000-8000-0000000c10d5";
export const TENANT = "00000000-0000-4000-8000-00000007e4a4";

/** Typical duration of a VM's start or deallocation in Azure, in seconds. */
const POWER_SECONDS = 45;

/** The emulated Azure Resource Manager: validates requests as ARM does, and keeps its state in a file. */
export class Cloud implements View {
  readonly subscription = SUBSCRIPTION;
  private resources: readonly Resource[];
  private readonly clock: Clock;
  private readonly reservations: Reservations;

  constructor(private readonly options: CloudOptions) {
    this.resources = readState(options.file);
    this.clock = options.clock ?? REAL_CLOCK;
    this.reservations = new Reservations(this.clock, options.latencyFactor);
  }

  get registryAddress(): string {
    return this.options.registryAddress;
  }

  get limits(): View["limits"] {
    return limitsUnder(this.options.faults());
  }

  get(id: string): Resource | undefined {
    return this.resources.find((resource) => sameId(resource.id, id));
  }

  all(token: string): readonly Resource[] {
    return this.resources.filter((resource) => resource.token === token);
  }

  reservedFor(interfaceId: string): string | undefined {
    return this.reservations.holderOf(interfaceId);
  }

  everything(): readonly Resource[] {
    return this.resources;
  }

  /** Creates a resource. @throws an error, like the published provider, if a resource with this ID exists. */
  async create(token: string, properties: Properties, stop?: AbortSignal): Promise<Resource> {
    const type = typeOf(token);
    const id = idOf(type, this.subscription, properties);
    if (this.get(id) !== undefined) {
      throw new Error(`cannot create already existing resource '${id}'`);
    }
    try {
      return await this.put(type, properties, "create", stop);
    } catch (error) {
      this.reservations.creationFailed(type, id, properties, error);
      throw error;
    }
  }

  update(token: string, properties: Properties, stop?: AbortSignal): Promise<Resource> {
    return this.put(typeOf(token), properties, "update", stop);
  }

  /** Deletes a resource with everything in it. Does nothing if there is no such resource. */
  async remove(id: string, stop?: AbortSignal): Promise<void> {
    const resource = this.get(id);
    if (resource === undefined) return;
    const type = typeOf(resource.token);
    await this.simulateLatency(type, "remove", stop);
    this.throwInjectedFault(type, "remove", id);
    validateUnlocked(resource, this);
    type.validateRemoval(resource, this);
    for (const inner of this.resourcesIn(resource)) await this.delete(inner);
    await this.delete(resource);
    await this.options.hardware.applyAccessRules(this);
  }

  /** Deletes a resource as somebody does who may delete its locks as well. */
  async removeInPortal(id: string): Promise<void> {
    for (const lock of locksIn(id, this)) await this.remove(lock.id);
    await this.remove(id);
  }

  /** Deallocates a VM, or starts it again. @throws ArmError if there is no such VM */
  async setPower(id: string, powerState: PowerState): Promise<void> {
    const machine = this.get(id);
    if (machine?.token !== MACHINE) throw notFound(id);
    await this.clock.sleep(POWER_SECONDS * 1000 * this.options.latencyFactor);
    await this.options.hardware.setPower(machine, powerState, this);
    this.storeResource({ ...machine, powerState });
    await this.reconnect();
  }

  /** Changes the VMs as policies of a company do: without the engine's knowledge. */
  touchMachines(): void {
    for (const machine of this.all(MACHINE)) this.storeResource(touchedMachine(machine, TENANT));
  }

  /** Records that a token has a password. The password itself isn't part of the resource. */
  async passwordGenerated(token: Resource, name: string): Promise<void> {
    const passwords = [{ name, creationTime: new Date().toISOString() }];
    this.storeResource({
      ...token,
      properties: { ...token.properties, credentials: { passwords } },
    });
    await this.reconnect();
  }

  /** Applies changed accounts of the registry. */
  async reconnect(): Promise<void> {
    await this.options.hardware.applyAccessRules(this);
  }

  private async put(
    type: ResourceType,
    properties: Properties,
    operation: Operation,
    stop?: AbortSignal,
  ): Promise<Resource> {
    const put = this.validated(type, properties, operation);
    await this.simulateLatency(type, operation, stop);
    this.throwInjectedFault(type, operation, put.id);
    // Validate again: concurrent requests may have changed the referenced resources.
    const { id, name } = this.validated(type, properties, operation);
    const resource: Resource = {
      id,
      token: type.token,
      name,
      properties,
      computed: type.compute(put),
      powerState: put.before?.powerState,
    };
    const failed = await this.provision(resource, put.before);
    this.storeResource(failed ?? resource);
    await this.options.hardware.applyAccessRules(this);
    if (failed?.failure === undefined) return resource;
    throw new FailedOperation(failed.failure.code, failed.failure.reason, failed);
  }

  /** Validates a request before anything changes. @throws ArmError */
  private validated(type: ResourceType, properties: Properties, operation: Operation): Put {
    const id = idOf(type, this.subscription, properties);
    const name = textAt(properties, type.path.at(-1) ?? "");
    const before = this.get(id);
    if (operation === "update" && before === undefined) {
      throw notFound(id);
    }
    const put: Put = { properties, id, name, before, cloud: this };
    validateCommonRules(type, put);
    validateWritable(type, id, this);
    for (const path of before === undefined ? [] : type.immutable) {
      if (same(at(before?.properties, path), at(properties, path))) continue;
      throw conflict("PropertyChangeNotAllowed", `Changing property '${path}' is not allowed.`);
    }
    type.validate(put);
    return put;
  }

  /** Returns the resources within a resource, VMs first, so that no resource is in use when it is deleted. */
  private resourcesIn(group: Resource): Resource[] {
    const inner = this.resources.filter(({ id }) =>
      id.toLowerCase().startsWith(`${group.id.toLowerCase()}/`),
    );
    return [...inner].sort((a, b) => Number(b.token === MACHINE) - Number(a.token === MACHINE));
  }

  /** Boots a new VM, and grows a disk. @returns the VM as it is if that failed. */
  private async provision(
    resource: Resource,
    before: Resource | undefined,
  ): Promise<Resource | undefined> {
    const { hardware, faults } = this.options;
    if (isLarger(resource, before)) await hardware.growDisk(resource, this);
    if (resource.token !== MACHINE) return undefined;
    const failure = machineFailure(faults(), resource, before);
    const failed = failure && {
      ...resource,
      computed: { ...resource.computed, provisioningState: "Failed" },
      failure,
    };
    if (!isAllocated(before) && isAllocated(failed ?? resource)) {
      this.reservations.created(resource);
      await hardware.boot(resource, this);
      this.storeResource(osDiskOf(resource));
    }
    return failed;
  }

  private async delete(resource: Resource): Promise<void> {
    if (this.get(resource.id) === undefined) return;
    if (resource.token === MACHINE) await this.options.hardware.shutDown(resource);
    if (resource.token === DISK) await this.options.hardware.removeDisk(resource);
    if (resource.token === REGISTRY) await this.options.hardware.emptyRegistry();
    this.resources = this.resources.filter(({ id }) => id !== resource.id);
    this.save();
    if (resource.token !== MACHINE) return;
    for (const id of deletedWith(resource)) {
      const inner = this.get(id);
      if (inner !== undefined) await this.delete(inner);
    }
  }

  private storeResource(resource: Resource): void {
    this.resources = [...this.resources.filter(({ id }) => !sameId(id, resource.id)), resource];
    this.save();
  }

  private save(): void {
    writeState(this.options.file, this.resources);
  }

  private async simulateLatency(
    type: ResourceType,
    operation: Operation,
    stop?: AbortSignal,
  ): Promise<void> {
    await this.clock.sleep(type.seconds[operation] * 1000 * this.options.latencyFactor, stop);
  }

  private throwInjectedFault(type: ResourceType, operation: Operation, id: string): void {
    const found = faultOf(this.options.faults(), { type, operation, id, cloud: this });
    if (found === undefined) return;
    if (found.once) this.options.onFaultOccurred(found.fault);
    throw found.error;
  }
}

function notFound(id: string): ArmError {
  return new ArmError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
}
