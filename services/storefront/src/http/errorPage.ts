import { sendProblem, type ProblemRenderer } from "@store/kit";
import { html } from "../html/html.ts";
import { sendPage, SHOP } from "../html/layout.ts";
import { sendOfficePage } from "../office/layout.ts";
import { sendLogin } from "../office/login.ts";

/** A page for people; the problem document for who doesn't ask for HTML. */
export const renderProblemPage: ProblemRenderer = (problem, request, reply) => {
  if (!request.headers.accept?.includes("text/html")) return sendProblem(problem, request, reply);
  reply.code(problem.status).headers(problem.options.headers ?? {});
  if (problem.status === 401) return sendLogin(reply, problem.message);
  const { heading, text } = words(problem.status);
  if (/^\/office\b/.test(request.url)) {
    // Our own people may know what is wrong, in the words of the service that refused.
    return sendOfficePage(reply, {
      title: heading,
      main: html`<h1>${heading}</h1>
        <p>${problem.message}</p>
        <p><a class="button small" href="/office">To the orders</a></p>
        <p class="fine">Reference: ${request.id}</p>`,
    });
  }
  // A form that was sent can be sent again, by going back to it.
  const again = problem.status === 503 && request.method === "GET";
  return sendPage(reply, {
    title: `${heading} – ${SHOP}`,
    hidden: true,
    main: html`<div class="wrap notice">
      <h1>${heading}</h1>
      <p>${text}</p>
      <p><a class="button" href="${again ? "" : "/"}">${again ? "Try again" : "To the shop"}</a></p>
      <p class="fine">Reference: ${request.id}</p>
    </div>`,
  });
};

function words(status: number): { readonly heading: string; readonly text: string } {
  switch (status) {
    case 403:
      return {
        heading: "That came from elsewhere",
        text: "This form wasn’t sent from one of our own pages, so we did nothing with it.",
      };
    case 404:
      return {
        heading: "We can’t find that",
        text: "The page may have moved, or we no longer sell what was on it.",
      };
    case 503:
      return {
        heading: "The shelves are out of reach",
        text: "A part of our shop doesn’t answer at the moment. Nothing is lost, your basket is safe; please try again in a minute.",
      };
    case 500:
      return {
        heading: "Something broke",
        text: "That was our mistake. We have a note of it under the reference below.",
      };
    default:
      return {
        heading: "That didn’t work",
        text: "We couldn’t make sense of this request. Start again from the shop.",
      };
  }
}
