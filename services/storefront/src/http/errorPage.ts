import { sendProblem, type ProblemRenderer } from "@store/kit";
import { html } from "../html/html.ts";
import { sendPage, SHOP } from "../html/layout.ts";
import { sendOfficePage } from "../office/layout.ts";
import { sendLogin } from "../office/login.ts";

/** Sends errors as a page to browsers, and as a problem document to clients that don't accept HTML. */
export const renderErrorPage: ProblemRenderer = (problem, request, reply) => {
  if (!request.headers.accept?.includes("text/html")) return sendProblem(problem, request, reply);
  reply.code(problem.status).headers(problem.options.headers ?? {});
  if (problem.status === 401) return sendLogin(reply, problem.message);
  const { heading, text } = errorText(problem.status);
  if (/^\/office\b/.test(request.url)) {
    // Staff see the details that the service reported; customers get a general text.
    return sendOfficePage(reply, {
      title: heading,
      main: html`<h1>${heading}</h1>
        <p>${problem.message}</p>
        <p><a class="button small" href="/office">Back to orders</a></p>
        <p class="fine">Reference: ${request.id}</p>`,
    });
  }
  // Only a GET can be repeated by a link. A submitted form is repeated by going back to it.
  const canRetry = problem.status === 503 && request.method === "GET";
  return sendPage(reply, {
    title: `${heading} – ${SHOP}`,
    hidden: true,
    main: html`<div class="wrap notice">
      <h1>${heading}</h1>
      <p>${text}</p>
      <p>
        <a class="button" href="${canRetry ? "" : "/"}"
          >${canRetry ? "Try again" : "Back to the shop"}</a
        >
      </p>
      <p class="fine">Reference: ${request.id}</p>
    </div>`,
  });
};

function errorText(status: number): { readonly heading: string; readonly text: string } {
  switch (status) {
    case 403:
      return {
        heading: "Form not accepted",
        text: "This form was submitted from another site, so nothing was changed.",
      };
    case 404:
      return {
        heading: "Page not found",
        text: "The page may have moved, or the product is no longer available.",
      };
    case 503:
      return {
        heading: "Temporarily unavailable",
        text: "Part of our shop isn’t responding right now. Your basket is saved; please try again in a minute.",
      };
    case 500:
      return {
        heading: "Something went wrong",
        text: "The error is on our side. We have logged it under the reference below.",
      };
    default:
      return {
        heading: "We couldn’t process your request",
        text: "Please go back to the shop and try again.",
      };
  }
}
