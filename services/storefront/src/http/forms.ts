import formbody from "@fastify/formbody";
import { problem, Type, type App, type Request } from "@store/kit";

/** The fields of a submitted form, unvalidated: each page validates its own. */
export const Fields = Type.Record(Type.String(), Type.String({ maxLength: 8_000 }));
export type Fields = Readonly<Record<string, string | undefined>>;

/** Accepts form submissions, but only from the shop's own pages. */
export async function acceptForms(app: App): Promise<void> {
  await app.register(formbody);
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.method === "POST" && !isSameOrigin(request)) {
      done(problem(403, "This form was submitted from another site."));
    } else done();
  });
}

/** Every browser sends the origin of a form, and a page can't change it. */
function isSameOrigin({ headers }: Request): boolean {
  const { origin } = headers;
  if (origin === undefined || !URL.canParse(origin)) return false;
  // Compare hosts only: the gateway keeps the Host header, but only the gateway knows the scheme.
  return new URL(origin).host === headers.host;
}
