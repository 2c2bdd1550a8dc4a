import { sendProblem, type ProblemRenderer } from "@store/kit";
import { html } from "./html.ts";
import { sendPage, SHOP } from "./layout.ts";

/** A page for people; the problem document for who doesn't ask for HTML. */
export const renderProblemPage: ProblemRenderer = (problem, request, reply) => {
  if (!request.headers.accept?.includes("text/html")) return sendProblem(problem, request, reply);
  const { heading, text } = words(problem.status);
  reply.code(problem.status).headers(problem.options.headers ?? {});
  return sendPage(reply, {
    title: `${heading} – ${SHOP}`,
    main: html`<div class="wrap notice">
      <h1>${heading}</h1>
      <p>${text}</p>
      <p>
        <a class="button" href="${problem.status === 503 ? "" : "/"}"
          >${problem.status === 503 ? "Try again" : "To the shop"}</a
        >
      </p>
      <p class="fine">Reference: ${request.id}</p>
    </div>`,
  });
};

function words(status: number): { readonly heading: string; readonly text: string } {
  switch (status) {
    case 404:
      return {
        heading: "We can’t find that",
        text: "The page may have moved, or we no longer sell what was on it.",
      };
    case 503:
      return {
        heading: "The shelves are out of reach",
        text: "Our catalogue doesn’t answer at the moment. Nothing is lost; please try again in a minute.",
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
