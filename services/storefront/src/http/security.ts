import type { App, Reply } from "@store/kit";

/** Default content security policy: nothing from other origins, no framing, no scripts. */
const policy = {
  "default-src": "'none'",
  "style-src": "'self'",
  "img-src": "'self'",
  "form-action": "'self'",
  "base-uri": "'none'",
  "frame-ancestors": "'none'",
};

/** Adds the security headers to every response. */
export function addSecurityHeaders(app: App): void {
  const headers = {
    "content-security-policy": format(policy),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
  };
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

/** Relaxes the content security policy of one page, with directives such as `{"script-src": "'self'"}`. */
export function relaxPolicy(reply: Reply, directives: Readonly<Record<string, string>>): void {
  reply.header("content-security-policy", format({ ...policy, ...directives }));
}

function format(directives: Readonly<Record<string, string>>): string {
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
}
