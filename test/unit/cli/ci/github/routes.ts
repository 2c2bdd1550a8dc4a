/** SUBSTITUTE for GitHub's API, for tests: the calls, with the checks that GitHub makes. */
import { type Account, type GitHubState, Refusal, type Right } from "./state";

interface Request {
  readonly state: GitHubState;
  readonly account: Account;
  readonly url: URL;
  readonly body: unknown;
  /** Groups of the path. */
  readonly parameters: readonly string[];
}

interface Route {
  readonly method: string;
  /** Regular expression. */
  readonly path: string;
  /** Rights of which one is needed. Empty: any token. */
  readonly rights: readonly Right[];
  readonly run: (request: Request) => { readonly status: number; readonly data: unknown };
}

const REPO = "/repos/acme/store";
const COMMENT: readonly Right[] = ["issues:write", "pull_requests:write"];

/** Limit of a comment in characters. */
const BODY_LIMIT = 65_536;

export const ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/graphql",
    rights: [],
    run: ({ account }) => ok({ data: { viewer: { databaseId: account.id } } }),
  },
  {
    method: "GET",
    path: `${REPO}/issues/(\\d+)/comments`,
    rights: ["read"],
    run: ({ state, parameters: [issue] }) =>
      ok(state.comments.filter((comment) => comment.issue === Number(issue))),
  },
  {
    method: "POST",
    path: `${REPO}/issues/(\\d+)/comments`,
    rights: COMMENT,
    run: ({ state, account, body, parameters: [issue] }) => {
      const fields = checkFields(body, ["body"]);
      return created(state.comment(Number(issue), account, commentBody(fields["body"])));
    },
  },
  {
    method: "PATCH",
    path: `${REPO}/issues/comments/(\\d+)`,
    rights: COMMENT,
    run: ({ state, body, parameters: [id] }) => {
      const fields = checkFields(body, ["body"]);
      const comment = state.comments.find((candidate) => candidate.id === Number(id));
      if (comment === undefined) throw new Refusal(404, "Not Found");
      comment.body = commentBody(fields["body"]);
      return ok(comment);
    },
  },
  {
    method: "DELETE",
    path: `${REPO}/issues/comments/(\\d+)`,
    rights: COMMENT,
    run: ({ state, parameters: [id] }) => {
      const index = state.comments.findIndex((candidate) => candidate.id === Number(id));
      if (index < 0) throw new Refusal(404, "Not Found");
      state.comments.splice(index, 1);
      return { status: 204, data: undefined };
    },
  },
  {
    method: "GET",
    path: `${REPO}/issues/(\\d+)/labels`,
    rights: ["read"],
    run: ({ state, parameters: [issue] }) =>
      ok((state.labels.get(Number(issue)) ?? []).map((name) => ({ name }))),
  },
  {
    method: "POST",
    path: `${REPO}/issues/(\\d+)/labels`,
    rights: COMMENT,
    run: ({ state, account, body, parameters: [issue] }) => {
      const { labels } = checkFields(body, ["labels"]);
      for (const label of labels as readonly string[]) {
        if (label.length > 50) throw new Refusal(422, "Validation Failed: name is too long");
        state.label(Number(issue), label, account);
      }
      return ok(labels);
    },
  },
  {
    method: "DELETE",
    path: `${REPO}/issues/(\\d+)/labels/([^/]+)`,
    rights: COMMENT,
    run: ({ state, parameters: [issue, name = ""] }) => {
      const present = state.labels.get(Number(issue)) ?? [];
      if (!present.includes(name)) throw new Refusal(404, "Label does not exist");
      state.labels.set(
        Number(issue),
        present.filter((label) => label !== name),
      );
      return ok([]);
    },
  },
  {
    method: "GET",
    path: `${REPO}/issues/(\\d+)/events`,
    rights: ["read"],
    run: ({ state, parameters: [issue] }) =>
      ok(
        state.labelEvents
          .filter((event) => event.issue === Number(issue))
          .map(({ label, actor }) => ({ event: "labeled", label: { name: label }, actor })),
      ),
  },
  {
    method: "POST",
    path: `${REPO}/statuses/([0-9a-f]{40})`,
    rights: ["statuses:write"],
    run: ({ state, body, parameters: [sha = ""] }) => {
      const fields = checkFields(body, ["state", "context", "description", "target_url"]);
      if (!["error", "failure", "pending", "success"].includes(String(fields["state"]))) {
        throw new Refusal(422, "Validation Failed: state is not included in the list");
      }
      if (String(fields["description"]).length > 140) {
        throw new Refusal(422, "Validation Failed: description is too long");
      }
      state.statuses.push({
        sha,
        ...(fields as { state: string; context: string; description: string }),
      });
      return created(fields);
    },
  },
  {
    method: "GET",
    path: `${REPO}/pulls`,
    rights: ["read"],
    run: ({ state, url }) =>
      ok(
        state.pullRequests.filter(
          (pull) =>
            pull.state === (url.searchParams.get("state") ?? "open") &&
            pull.head.label === (url.searchParams.get("head") ?? pull.head.label),
        ),
      ),
  },
  {
    method: "GET",
    path: `${REPO}/pulls/(\\d+)`,
    rights: ["read"],
    run: ({ state, parameters: [number] }) => {
      const found = state.pullRequests.find((pull) => pull.number === Number(number));
      if (found === undefined) throw new Refusal(404, "Not Found");
      return ok(found);
    },
  },
  {
    method: "GET",
    path: `${REPO}/commits/([0-9a-f]{40})/pulls`,
    rights: ["read"],
    run: ({ state, parameters: [sha] }) =>
      ok(state.pullRequests.filter((pull) => pull.merge_commit_sha === sha)),
  },
];

function ok(data: unknown): { status: number; data: unknown } {
  return { status: 200, data };
}

function created(data: unknown): { status: number; data: unknown } {
  return { status: 201, data };
}

function checkFields(body: unknown, known: readonly string[]): Record<string, unknown> {
  const fields = (body ?? {}) as Record<string, unknown>;
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Refusal(422, `Invalid request: "${unknown}" is not permitted`);
  return fields;
}

function commentBody(body: unknown): string {
  if (typeof body !== "string" || body === "") {
    throw new Refusal(422, "Validation Failed: body cannot be blank");
  }
  if (body.length > BODY_LIMIT) {
    throw new Refusal(422, "Validation Failed: body is too long (maximum is 65536 characters)");
  }
  return body;
}
