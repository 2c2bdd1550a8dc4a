import { createId, ok, refuse, type Parameters, type Reply } from "./stripeReplies.ts";

/** Days for which Stripe lists an event. */
const DAYS = 30;
const MAX_TYPES = 20;

interface Event {
  readonly id: string;
  readonly object: "event";
  readonly type: string;
  /** In seconds since 1970. */
  readonly created: number;
  readonly data: { readonly object: object };
  readonly livemode: false;
}

/** The events of the emulator of Stripe: a copy of an object as it was at each change. */
export class StripeEvents {
  /** Oldest first. */
  readonly #events: Event[] = [];

  /** Adds an event about an object, as it is now. */
  add(type: string, object: object, ageInDays = 0): string {
    const created = Math.floor(Date.now() / 1_000 - ageInDays * 86_400);
    const id = createId("evt");
    const data = { object: structuredClone(object) };
    this.#events.push({ id, object: "event", type, created, data, livemode: false });
    this.#events.sort((one, other) => one.created - other.created);
    return id;
  }

  /** Lists the events of the last 30 days that match, newest first. */
  list(form: Parameters, pageSize: number): Reply {
    const types = [...form].flatMap(([name, value]) => (name.startsWith("types[") ? [value] : []));
    if (types.length > MAX_TYPES) return refuse(undefined, "types");
    if (types.length > 0 && form.has("type")) return refuse(undefined, "type");
    const [after, before] = [form.get("starting_after"), form.get("ending_before")];
    if (after !== undefined && before !== undefined) return refuse(undefined, "ending_before");
    const limit = Number(form.get("limit") ?? 10);
    if (!Number.isInteger(limit) || limit < 1 || limit > 100) return refuse(undefined, "limit");
    const listed = this.#listed();
    for (const [name, id] of [
      ["starting_after", after],
      ["ending_before", before],
    ] as const)
      if (id !== undefined && !listed.some((event) => event.id === id))
        return refuse("resource_missing", name);
    return page(
      listed.filter((event) => matches(event, types, form)),
      { ...positions(listed, after, before), size: Math.min(limit, pageSize) },
    );
  }

  #listed(): Event[] {
    const oldest = Date.now() / 1_000 - DAYS * 86_400;
    return this.#events.filter(({ created }) => created >= oldest).reverse();
  }
}

function matches({ type, created }: Event, types: readonly string[], form: Parameters): boolean {
  const bound = (name: string) => Number(form.get(`created[${name}]`) ?? NaN);
  return (
    (types.length === 0 || types.includes(type)) &&
    (!form.has("type") || form.get("type") === type) &&
    !(created < bound("gte")) &&
    !(created <= bound("gt")) &&
    !(created > bound("lte")) &&
    !(created >= bound("lt"))
  );
}

interface Positions {
  /** Events that come after the one of starting_after. */
  readonly isAfter: (event: Event) => boolean;
  /** Events that come before the one of ending_before; undefined without it. */
  readonly isBefore: ((event: Event) => boolean) | undefined;
}

function positions(
  listed: readonly Event[],
  after: string | undefined,
  before: string | undefined,
): Positions {
  const place = (id: string | undefined) => listed.findIndex((event) => event.id === id);
  return {
    isAfter: ({ id }) => place(id) > place(after),
    isBefore: before === undefined ? undefined : ({ id }) => place(id) < place(before),
  };
}

/** A page with ending_before ends just before that event, so it may leave out the newest events. */
function page(all: readonly Event[], options: Positions & { readonly size: number }): Reply {
  const { isAfter, isBefore, size } = options;
  const rest = all.filter(isBefore ?? isAfter);
  const data = isBefore === undefined ? rest.slice(0, size) : rest.slice(-size);
  return ok({ object: "list", data, has_more: rest.length > size, url: "/v1/events" });
}
