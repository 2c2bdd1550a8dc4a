import type { Octokit } from "@octokit/core" with { "resolution-mode": "import" };
import type { PaginateInterface } from "@octokit/plugin-paginate-rest" with {
  "resolution-mode": "import",
};
import { CliError } from "@store/docker/cliError";
import { githubError } from "./githubError";
import type { WorkflowRun } from "../workflowRun";

/** Timeout of one request in milliseconds. */
const TIMEOUT_MS = 30_000;

/** GitHub's API for one repository. */
export class GitHub {
  /** Parameters of every call. */
  readonly repository: { readonly owner: string; readonly repo: string };

  private constructor(
    readonly octokit: Octokit & { readonly paginate: PaginateInterface },
    private readonly run: WorkflowRun,
  ) {
    this.repository = { owner: run.owner, repo: run.repo };
  }

  /**
   * Loads the client, which takes about 100 ms.
   *
   * @param retryDelayMs Delay before the first of two repetitions. @default 1000
   * @throws CliError if the run has no token.
   */
  static async connect(run: WorkflowRun, retryDelayMs = 1000): Promise<GitHub> {
    if (run.token === undefined) {
      throw new CliError("GitHub can't be called: GITHUB_TOKEN isn't set.", {
        hint: "Pass the job's token to the step: env: {GITHUB_TOKEN: ${{ github.token }}}",
      });
    }
    const [{ Octokit }, { paginateRest }, { retry }] = await Promise.all([
      import("@octokit/core"),
      import("@octokit/plugin-paginate-rest"),
      import("@octokit/plugin-retry"),
    ]);
    const octokit = new (Octokit.plugin(paginateRest, retry))({
      auth: run.token,
      baseUrl: run.apiUrl,
      userAgent: "store-on-docker",
      request: {
        fetch: (url: string, options: RequestInit) =>
          fetch(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) }),
      },
      // A rate limit ends later than a job should wait.
      retry: {
        retries: 2,
        retryAfterBaseValue: retryDelayMs,
        doNotRetry: [400, 401, 403, 404, 410, 422, 429, 451],
      },
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    });
    return new GitHub(octokit, run);
  }

  /**
   * Calls GitHub.
   *
   * @param action Continues the message "Can't ...".
   * @throws CliError
   */
  async try<T>(action: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw githubError(error, action, this.run.apiUrl);
    }
  }

  /** Returns the ID of the account that writes with the token. The REST API returns it to users only, GraphQL to workflows, too. */
  async ownId(): Promise<number> {
    const { viewer } = await this.try("find out who the token belongs to", () =>
      this.octokit.graphql<{ viewer: { databaseId: number } }>("{ viewer { databaseId } }"),
    );
    return viewer.databaseId;
  }
}

/** Parameter of a call that must not be repeated if it fails, because it may have taken effect. */
export const ONCE = { request: { retries: 0 } } as const;

function ignore(): void {
  // The commands report failures themselves.
}
