import formbody from "@fastify/formbody";
import { problem, Type, type App, type Request } from "@store/kit";

/** A form's fields as they were sent. What is in them is for the page to judge. */
export const Fields = Type.Record(Type.String(), Type.String({ maxLength: 8_000 }));
export type Fields = Readonly<Record<string, string | undefined>>;

/** Lets pages be sent forms, from their own pages only. */
export async function acceptForms(app: App): Promise<void> {
  await app.register(formbody);
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.method === "POST" && !isFromOwnPage(request)) {
      done(problem(403, "This form was sent from a page that isn't ours."));
    } else done();
  });
}

/** Every browser says which origin a form was sent from, and no page can make it say another. */
function isFromOwnPage({ headers }: Request): boolean {
  const { origin } = headers;
  if (origin === undefined || !URL.canParse(origin)) return false;
  // The gateway passes the host on as it was asked for. Whether TLS ends before us, only it knows.
  return new URL(origin).host === headers.host;
}
