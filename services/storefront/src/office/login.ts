import { Type, type App, type Reply, type Request } from "@store/kit";
import type { Gateway } from "../gateway/gateway.ts";
import { html, type Html } from "../html/html.ts";
import { isReadableOnTheWay } from "../http/scheme.ts";
import { sendOfficePage } from "./layout.ts";
import { endSession, startSession } from "./session.ts";

/** Adds the login page, the login and the log-out. */
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
      if (isReadableOnTheWay(request)) return sendLogin(reply.code(403), undefined, next);
      if (!(await startSession(gateway, reply, request.body.token.trim()))) {
        reply.code(401);
        return sendLogin(reply, "Incorrect token.", next);
      }
      return reply.redirect(officePath(next), 303);
    },
  );

  app.post("/office/logout", { schema: { hide: true } }, async (_request, reply) => {
    await endSession(gateway, reply);
    return reply.redirect("/office/login", 303);
  });
}

/**
 * Sends the login form. Pages that need a login send it in their own place.
 *
 * @param next Path to go to after the login. Defaults to the requested page.
 */
export function sendLogin(
  reply: Reply,
  message?: string,
  next = requestedPage(reply.request),
): Reply {
  return sendOfficePage(reply, {
    title: "Log in",
    main: html`<div class="login">
      <h1>Back office</h1>
      ${isReadableOnTheWay(reply.request) ? REFUSAL : loginForm(message, next)}
    </div>`,
  });
}

/** The token would be readable for everybody between the browser and the store. */
const REFUSAL = html`<p class="banner bad" role="alert">
    Nobody can log in at this address, because it has no HTTPS: others could read the staff token on
    its way.
  </p>
  <p>
    Give the store a name and a certificate (<code>store:domain</code>), or open the office through
    a tunnel: <code>./store ssh STACK -- -N -L 8080:localhost:80</code>, then
    <code>http://localhost:8080/office</code>.
  </p>`;

function loginForm(message: string | undefined, next: string): Html {
  return html`<p>
      For staff only. <code>./store token add NAME</code> creates a token of your own,
      <code>./store token</code> prints the store’s.
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
    </form>`;
}

function requestedPage({ method, url }: Request): string {
  return method === "GET" ? url : "/office";
}

/** @returns the path if it belongs to the office, otherwise the office's start page: prevents redirects to other sites. */
function officePath(path: string | undefined): string {
  const isOffice =
    path !== undefined && /^\/office(\/(?!login)[\w/.-]*)?(\?[\w=&%.+-]*)?$/.test(path);
  return isOffice ? path : "/office";
}
