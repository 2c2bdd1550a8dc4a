import assert from "node:assert/strict";
import { UsageError } from "@store/docker/cliError";
import { ExternalPostgres } from "@store/cli/devServices/postgres";

describe("ExternalPostgres", () => {
  const rejected: readonly [what: string, url: string, message: RegExp][] = [
    ["another kind of URL", "mysql://me:secret@localhost:3306", /isn't a PostgreSQL URL/],
    [
      "a URL with sslmode",
      "postgres://me:secret@localhost?sslmode=require",
      /without TLS.*sslmode/,
    ],
    ["a URL with ssl", "postgres://me:secret@localhost?ssl=true", /without TLS.* ssl /],
  ];
  for (const [what, url, message] of rejected)
    it(`rejects ${what}, and doesn't print the password`, () =>
      assert.rejects(ExternalPostgres.connect(url), (error: unknown) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        assert.doesNotMatch(JSON.stringify([error.message, error]), /secret/);
        return true;
      }));
});
