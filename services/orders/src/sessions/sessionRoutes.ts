import { problem, staffName, Type, Uuid, type App, type Service } from "@store/kit";
import { SessionContent, StaffSession } from "./schemas.ts";
import type { StaffSessions } from "./staffSessions.ts";

const params = Type.Object({ id: Uuid });
const tags = ["staff"];

/** Adds the routes with which a front end starts, uses and ends the sessions of staff. No cache may store the responses. */
export function addSessionRoutes(
  app: App,
  sessions: StaffSessions,
  staff: ReturnType<Service["staff"]>,
): void {
  app.put(
    "/api/orders/staff-sessions/:id",
    {
      onRequest: staff,
      schema: {
        operationId: "startStaffSession",
        summary: "Starts a session of staff in a front end",
        description:
          "A front end keeps the staff token in `sealed`, encrypted with a key that only the browser has, so that a log-out ends the session " +
          "in every browser with its cookie. Choose a random ID: whoever knows it may read `sealed` and end the session. Idempotent. 409 session-exists: " +
          "the ID has another session.",
        tags,
        security: [{ staff: [] }],
        params,
        body: SessionContent,
        response: { 201: StaffSession },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const session = await sessions.start({ id, staff: staffName(request), ...request.body });
      if (session === undefined)
        throw problem(409, "There is a session with this ID.", { type: "session-exists" });
      return reply.code(201).header("cache-control", "no-store").send(session);
    },
  );

  app.get(
    "/api/orders/staff-sessions/:id",
    {
      schema: {
        operationId: "useStaffSession",
        summary: "Returns a session of staff that hasn't ended",
        description: "No authentication: whoever knows the ID may read it. 404 after its end.",
        tags,
        params,
        response: { 200: StaffSession },
      },
    },
    async ({ params: { id } }, reply) => {
      const session = await sessions.use(id);
      if (session === undefined) throw problem(404, "There is no such session, or it has ended.");
      reply.header("cache-control", "no-store");
      return session;
    },
  );

  app.delete(
    "/api/orders/staff-sessions/:id",
    {
      schema: {
        operationId: "endStaffSession",
        summary: "Ends a session of staff",
        description: "Idempotent. No authentication: whoever knows the ID may end it.",
        tags,
        params,
        response: { 204: Type.Null({ description: "The session has ended." }) },
      },
    },
    async ({ params: { id } }, reply) => {
      await sessions.end(id);
      return reply.code(204).send(null);
    },
  );
}
