import { type App, type Database, type Static, Type, Uuid } from "@store/kit";

const Item = Type.Object({
  id: Uuid,
  name: Type.String({ minLength: 1, maxLength: 200 }),
});
type Item = Static<typeof Item>;

export function addItemRoutes(app: App, database: Database): void {
  app.get(
    "/api/example-service/items",
    {
      schema: {
        operationId: "listItems",
        summary: "Lists all items",
        response: { 200: Type.Object({ items: Type.Array(Item) }) },
      },
    },
    async () => ({ items: await database.query<Item>(LIST) }),
  );
  app.post(
    "/api/example-service/items",
    {
      schema: {
        operationId: "addItem",
        summary: "Adds an item",
        body: Type.Pick(Item, ["name"], { additionalProperties: false }),
        response: { 201: Item },
      },
    },
    async ({ body: { name } }, reply) => {
      const [item] = await database.query<Item>(ADD, [name]);
      if (item === undefined) throw new Error("The INSERT has returned no row.");
      return reply.code(201).send(item);
    },
  );
}

const LIST = "SELECT id, name FROM items ORDER BY name, id LIMIT 100";
const ADD = "INSERT INTO items (name) VALUES ($1) RETURNING id, name";
