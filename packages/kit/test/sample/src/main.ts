import { setTimeout as delay } from "node:timers/promises";
import { integer, forwardCorrelationHeaders, problem, start, text, Text, Type } from "@store/kit";
import manifest from "../package.json" with { type: "json" };

interface OtherPaths {
  "/internal/secret": { get: { responses: { 200: { content: { "application/json": string } } } } };
  "/things": { get: { responses: { 200: { content: { "application/json": { from: string } } } } } };
}

await start(manifest, ({ app, database, environment, client, staff }) => {
  const { GREETING, MIGRATIONS, OTHER_TIMEOUT_MS } = environment({
    GREETING: text("hello"),
    MIGRATIONS: text("migrations/"),
    OTHER_TIMEOUT_MS: integer(1, 60_000, 10_000),
  });
  const notes = database({ migrations: new URL(MIGRATIONS, import.meta.url) });
  const other = client<OtherPaths>("other", { timeout: OTHER_TIMEOUT_MS });

  app.post(
    "/notes",
    {
      schema: {
        operationId: "addNote",
        body: Type.Object(
          { id: Type.Integer({ minimum: 1, maximum: 1000 }), text: Text(20) },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ greeting: Type.String() }) },
      },
    },
    async ({ body }, reply) => {
      await notes.query("INSERT INTO notes VALUES ($1, $2)", [body.id, body.text]);
      return reply.code(201).send({ greeting: GREETING });
    },
  );
  let endHold: () => void = () => undefined;
  // The pause between the two statements of its transaction ends with POST /hold/end.
  app.get("/hold", { schema: { response: { 200: Type.String() } } }, async () =>
    notes.transaction(async (transaction) => {
      await transaction.query("SELECT 1");
      await new Promise<void>((resolve) => (endHold = resolve));
      await transaction.query("SELECT 2");
      return "held";
    }),
  );
  app.post("/hold/end", { schema: { response: { 200: Type.String() } } }, () => {
    endHold();
    return "ended";
  });
  app.post(
    "/notes/:first/then/:second",
    {
      schema: {
        params: Type.Object({ first: Type.Integer(), second: Type.Integer() }),
        response: { 200: Type.String() },
      },
    },
    async ({ params: { first, second } }) =>
      notes.transaction(async (transaction) => {
        const lock = "SELECT FROM notes WHERE id = $1 FOR UPDATE";
        await transaction.query(lock, [first]);
        await delay(500);
        await transaction.query(lock, [second]);
        return "both were mine";
      }),
  );
  app.post("/notes/ignoring-errors", { schema: { response: { 200: Type.String() } } }, async () =>
    notes.transaction(async (transaction) => {
      await transaction.query("INSERT INTO notes VALUES (999, 'lost')");
      await transaction.query("INSERT INTO notes VALUES (999, 'twice')").catch(() => undefined);
      return "stored";
    }),
  );
  app.get("/slow", { schema: { response: { 200: Type.String() } } }, async () => {
    await delay(1_500);
    return "done";
  });
  app.get("/teapot", { schema: { response: { 200: Type.String() } } }, () => {
    throw problem(418, "Short and stout.", { type: "teapot" });
  });
  app.get("/internal/secret", { schema: { response: { 200: Type.String() } } }, () => "secret");
  app.get("/relay", { schema: { response: { 200: Type.Any() } } }, async () => {
    const { response } = await other.GET("/internal/secret", { parseAs: "text" });
    return { status: response.status };
  });
  app.get("/bug", { schema: { response: { 200: Type.String() } } }, () => {
    throw new Error("connection string postgres://user:hunter2@host");
  });
  app.get("/crash", { schema: { response: { 200: Type.String() } } }, () => {
    setImmediate(() => {
      throw new Error("out of the blue");
    });
    return "wait for it";
  });
  app.put(
    "/staff",
    {
      onRequest: staff(),
      schema: {
        security: [{ staff: [] }],
        body: Type.Object({ id: Type.Integer() }),
        response: { 200: Type.String() },
      },
    },
    () => "welcome",
  );
  app.get("/things", { schema: { response: { 200: Type.Any() } } }, async () => {
    await notes.query("SELECT $1::text AS  \n email", ["jane@example.org"]);
    return { from: "other" };
  });
  app.get(
    "/other",
    {
      schema: {
        querystring: Type.Object({ email: Type.Optional(Text(200)) }),
        response: { 200: Type.Any() },
      },
    },
    async (request) => {
      const { data } = await other.GET("/things", { headers: forwardCorrelationHeaders(request) });
      return data;
    },
  );
});
