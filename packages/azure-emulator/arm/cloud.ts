import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ArmError, badRequest, conflict } from "./armError";
import { REGIONS, typeOf } from "./catalogue";
import { checkWords } from "./check";
import { faultOf, limitsUnder, Verb } from "./faults";
import { idOf, Put, Resource, ResourceType, sameId, View } from "./resourceType";
import { resourceFields } from "./schema";
import { DISK, MACHINE } from "./types/compute/references";
import { REGISTRY } from "./types/containerregistry";
import { at, isObject, listAt, Properties, same, textAt } from "./values";

/** The only subscription that there is. */
export const SUBSCRIPTION = "00000000-0000-4000-8000-0000000c10d5";
export const TENANT = "00000000-0000-4000-8000-00000007e4a4";

/** What becomes real of it: machines, disks, ways through the network. */
export interface Hardware {
  boot(machine: Resource, cloud: View): Promise<void>;
  shutDown(machine: Resource): Promise<void>;
  removeDisk(disk: Resource): Promise<void>;
  emptyRegistry(): Promise<void>;
  /** After every change: what can be reached from outside follows, and who may do what in the registry. */
  connect(cloud: View): Promise<void>;
}

export interface CloudOptions {
  /** Where it keeps what there is. */
  readonly file: string;
  readonly hardware: Hardware;
  readonly registryAddress: string;
  /** 1 takes the time that Azure takes, 0 none. */
  readonly pace: number;
  /** What is broken at the moment, and how one is over. */
  readonly faults: () => readonly string[];
  readonly mended: (fault: string) => void;
}

/** The stand-in for Azure: ARM's checks and order, with its state on disk. */
export class Cloud implements View {
  readonly subscription = SUBSCRIPTION;
  private resources: readonly Resource[];

  constructor(private readonly options: CloudOptions) {
    this.resources = readState(options.file);
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

  everything(): readonly Resource[] {
    return this.resources;
  }

  /** Makes a resource. One that is there already is refused, as the published provider does. */
  async create(token: string, properties: Properties, stop?: AbortSignal): Promise<Resource> {
    const type = typeOf(token);
    const id = idOf(type, this.subscription, properties);
    if (this.get(id) !== undefined) {
      throw new Error(`cannot create already existing resource '${id}'`);
    }
    return this.put(type, properties, "create", stop);
  }

  update(token: string, properties: Properties, stop?: AbortSignal): Promise<Resource> {
    return this.put(typeOf(token), properties, "update", stop);
  }

  /** Deletes a resource; one that isn't there is as good as deleted. */
  async remove(id: string, stop?: AbortSignal): Promise<void> {
    const resource = this.get(id);
    if (resource === undefined) return;
    const type = typeOf(resource.token);
    await this.take(type, "remove", stop);
    this.breakDown(type, "remove");
    type.validateRemoval(resource, this);
    for (const inner of this.inside(resource)) await this.forget(inner);
    await this.forget(resource);
    await this.options.hardware.connect(this);
  }

  /** What a token then says of itself. Its password isn't shown again. */
  async passwordGenerated(token: Resource, name: string): Promise<void> {
    const passwords = [{ name, creationTime: new Date().toISOString() }];
    this.keep({ ...token, properties: { ...token.properties, credentials: { passwords } } });
    await this.reconnect();
  }

  async reconnect(): Promise<void> {
    await this.options.hardware.connect(this);
  }

  private async put(
    type: ResourceType,
    properties: Properties,
    verb: Verb,
    stop?: AbortSignal,
  ): Promise<Resource> {
    const put = this.judged(type, properties, verb);
    await this.take(type, verb, stop);
    this.breakDown(type, verb);
    // Meanwhile others may have changed what it refers to.
    const { id, name } = this.judged(type, properties, verb);
    const resource: Resource = {
      id,
      token: type.token,
      name,
      properties,
      computed: type.compute(put),
    };
    await this.realise(resource, put.before);
    this.keep(resource);
    await this.options.hardware.connect(this);
    return resource;
  }

  /** Throws what ARM refuses, before anything has changed. */
  private judged(type: ResourceType, properties: Properties, verb: Verb): Put {
    const id = idOf(type, this.subscription, properties);
    const name = textAt(properties, type.path.at(-1) ?? "");
    const before = this.get(id);
    if (verb === "update" && before === undefined) {
      throw new ArmError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
    }
    const put: Put = { properties, id, name, before, cloud: this };
    this.validateInGeneral(type, put);
    for (const path of before === undefined ? [] : type.immutable) {
      if (same(at(before?.properties, path), at(properties, path))) continue;
      throw conflict("PropertyChangeNotAllowed", `Changing property '${path}' is not allowed.`);
    }
    type.validate(put);
    return put;
  }

  private validateInGeneral(type: ResourceType, { properties, name, id }: Put): void {
    if (!type.nameRule.test(name)) {
      throw badRequest(
        "InvalidResourceName",
        `Resource name ${name} is invalid. The name must match ${type.nameRule.source}.`,
      );
    }
    const location = textAt(properties, "location");
    if (type.located && !REGIONS.includes(location.toLowerCase().replaceAll(" ", ""))) {
      throw badRequest(
        "LocationNotAvailableForResourceType",
        `The provided location '${location}' is not available for resource type '${type.armType}'. List of available regions ` +
          `for the resource type is '${REGIONS.join(",")}'.`,
      );
    }
    const group = textAt(properties, "resourceGroupName");
    if (
      type.path.length > 1 &&
      this.get(`/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}`) === undefined
    ) {
      throw new ArmError(
        404,
        "ResourceGroupNotFound",
        `Resource group '${group}' could not be found.`,
      );
    }
    validateTags(properties);
    const [, module = "", resource = ""] = type.token.split(":");
    const wrong = checkWords(properties, resourceFields(module, resource), type.openWords ?? []);
    if (wrong !== undefined) {
      throw badRequest(
        "InvalidParameter",
        `The value of parameter ${wrong.path} of ${id} is invalid: ${wrong.reason}.`,
      );
    }
  }

  /** Everything in a resource group, machines first, so that nothing is in use when it goes. */
  private inside(group: Resource): Resource[] {
    const inner = this.resources.filter(({ id }) =>
      id.toLowerCase().startsWith(`${group.id.toLowerCase()}/`),
    );
    return [...inner].sort((a, b) => Number(b.token === MACHINE) - Number(a.token === MACHINE));
  }

  private async realise(resource: Resource, before: Resource | undefined): Promise<void> {
    if (resource.token !== MACHINE || before !== undefined) return;
    await this.options.hardware.boot(resource, this);
    this.keep(osDiskOf(resource));
  }

  private async forget(resource: Resource): Promise<void> {
    if (this.get(resource.id) === undefined) return;
    if (resource.token === MACHINE) await this.options.hardware.shutDown(resource);
    if (resource.token === DISK) await this.options.hardware.removeDisk(resource);
    if (resource.token === REGISTRY) await this.options.hardware.emptyRegistry();
    this.resources = this.resources.filter(({ id }) => id !== resource.id);
    this.save();
    if (resource.token === MACHINE) await this.forgetWithMachine(resource);
  }

  /** What a machine's delete options name goes with it; the rest stays, and costs. */
  private async forgetWithMachine(machine: Resource): Promise<void> {
    const { properties } = machine;
    const named = [
      ...listAt(properties, "networkProfile.networkInterfaces"),
      ...listAt(properties, "storageProfile.dataDisks"),
    ]
      .filter((one) => isObject(one) && textAt(one, "deleteOption") === "Delete")
      .map((one) => textAt(one, "id") || textAt(one, "managedDisk.id"));
    const osDisk =
      textAt(properties, "storageProfile.osDisk.deleteOption") === "Delete"
        ? [osDiskOf(machine).id]
        : [];
    for (const id of [...named, ...osDisk]) {
      const inner = this.get(id);
      if (inner !== undefined) await this.forget(inner);
    }
  }

  private keep(resource: Resource): void {
    this.resources = [...this.resources.filter(({ id }) => !sameId(id, resource.id)), resource];
    this.save();
  }

  private save(): void {
    mkdirSync(dirname(this.options.file), { recursive: true });
    const draft = `${this.options.file}.draft`;
    // The machines' customData holds their keys.
    writeFileSync(draft, JSON.stringify(this.resources, undefined, 1), { mode: 0o600 });
    renameSync(draft, this.options.file);
  }

  private async take(type: ResourceType, verb: Verb, stop?: AbortSignal): Promise<void> {
    await sleep(type.seconds[verb] * 1000 * this.options.pace, undefined, { signal: stop });
  }

  private breakDown(type: ResourceType, verb: Verb): void {
    const found = faultOf(this.options.faults(), type, verb);
    if (found === undefined) return;
    if (found.once) this.options.mended(found.fault);
    throw found.error;
  }
}

export function readState(file: string): readonly Resource[] {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Resource[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Azure makes the disk of the system by itself; unless its delete option says otherwise, it outlives the machine. */
function osDiskOf(machine: Resource): Resource {
  const name =
    textAt(machine.properties, "storageProfile.osDisk.name") ||
    `${machine.name}_OsDisk_1_${textAt(machine.computed, "vmId").replaceAll("-", "")}`;
  const group = machine.id.slice(0, machine.id.indexOf("/providers/"));
  return {
    id: `${group}/providers/Microsoft.Compute/disks/${name}`,
    token: DISK,
    name,
    properties: {
      diskName: name,
      location: machine.properties["location"],
      creationData: { createOption: "FromImage" },
    },
    computed: { name, provisioningState: "Succeeded" },
  };
}

function validateTags(properties: Properties): void {
  const tags = at(properties, "tags");
  if (!isObject(tags)) return;
  const names = Object.keys(tags);
  if (names.length > 50)
    throw badRequest("InvalidTags", `A resource can have 50 tags at most, not ${names.length}.`);
  const wrong = names.find(
    (name) => name.length > 512 || /[<>%&\\?/]/.test(name) || textAt(tags, name).length > 256,
  );
  if (wrong === undefined) return;
  throw badRequest(
    "InvalidTagNameCharacters",
    `The tag ${wrong} is invalid: a name can't hold any of <>%&\\?/ and has 512 characters at most, a value 256.`,
  );
}
