import { Type, type App, type Reply, type Request } from "@store/kit";
import type { Gateway } from "../gateway/gateway.ts";
import { html } from "../html/html.ts";
import { sendOfficePage } from "./layout.ts";
import { isToken, staffHeaders, writeToken } from "./session.ts";

export function addLogin(app: App, gateway: Gateway): void {
  app.get("/office/login", { schema: { hide: true } }, async (_request, reply) =>
    sendLogin(reply, undefined, "/office"),
  );

  app.post(
    "/office/login",
    {
      schema: {
        hide: true,
        body: Type.Object({
          token: Type.String({ maxLength: 1_000 }),
          next: Type.Optional(Type.String({ maxLength: 1_000 })),
        }),
      },
    },
    async (request, reply) => {
      const { next } = request.body;
      const token = request.body.token.trim();
      if (!(await opens(gateway, request, token))) {
        reply.code(401);
        return sendLogin(reply, "That isn’t the store’s token.", next);
      }
      writeToken(reply, token);
      return reply.redirect(ownPath(next), 303);
    },
  );

  app.post("/office/logout", { schema: { hide: true } }, async (_request, reply) => {
    writeToken(reply, "");
    return reply.redirect("/office/login", 303);
  });
}

async function opens({ inventory }: Gateway, request: Request, token: string): Promise<boolean> {
  if (!isToken(token)) return false;
  const { data } = await inventory.GET("/api/inventory/stock", {
    params: { query: { limit: 1 } },
    headers: staffHeaders(request, token),
  });
  return data !== undefined;
}

/** The form for the token, also in place of a page that needs it. */
export function sendLogin(reply: Reply, message?: string, next = nextOf(reply.request)): Reply {
  return sendOfficePage(reply, {
    title: "Log in",
    outside: true,
    main: html`<div class="login">
      <h1>Back office</h1>
      <p>
        This is for the store’s own people. Their token is a secret of the stack:
        <code>./store token</code> shows it.
      </p>
      ${message && html`<p class="banner bad" id="message" role="alert">${message}</p>`}
      <form method="post" action="/office/login">
        <input type="hidden" name="next" value="${next}" />
        <div class="field">
          <label for="token">Token</label>
          <input
            id="token"
            name="token"
            type="password"
            autocomplete="current-password"
            ${message && html`aria-describedby="message"`}
            required
            autofocus
          />
        </div>
        <button class="button">Log in</button>
      </form>
    </div>`,
  });
}

function nextOf({ method, url }: Request): string {
  return method === "GET" ? url : "/office";
}

/** Only into the office: a link from elsewhere must not lead on to elsewhere. */
function ownPath(next: string | undefined): string {
  const own = next !== undefined && /^\/office(\/(?!login)[\w/.-]*)?(\?[\w=&%.+-]*)?$/.test(next);
  return own ? next : "/office";
}
