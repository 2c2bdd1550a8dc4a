import assert from "node:assert/strict";
import { ensureChromium, planChromium } from "@store/toolchain/tools/chromium";

describe("Chromium", () => {
  it("is installed on Debian and Ubuntu by root or by sudo without a password", () => {
    for (const asRoot of [[], ["sudo", "-n"]]) {
      for (const [distribution, name] of [
        [["debian"], "chromium-headless-shell"],
        [["ubuntu", "debian"], "chromium"],
      ] as const) {
        const packages = [name, "fonts-inter", "fonts-urw-base35"];
        assert.deepEqual(planChromium({ distribution, asRoot }), {
          ...{ action: "install", asRoot, packages },
        });
      }
    }
  });

  it("is not installed on other systems, where the error has instructions", () => {
    const other = planChromium({ distribution: ["debian"], asRoot: undefined });
    assert.match(other.action === "tell" ? other.remedy : "", /sudo apt-get install chromium/);
    const fedora = planChromium({ distribution: ["fedora"], asRoot: [] });
    assert.match(fedora.action === "tell" ? fedora.remedy : "", /Install Chrome .* CHROME_PATH/);
  });

  it("is not replaced if CHROME_PATH names a Chromium that doesn't run", async () => {
    const before = process.env.CHROME_PATH;
    const unexpected = (line: string) => assert.fail(line);
    const silent = { step: unexpected, progress: unexpected, note: unexpected };
    try {
      for (const path of ["/nowhere/chromium", process.execPath]) {
        process.env.CHROME_PATH = path;
        await assert.rejects(ensureChromium(silent), {
          name: "CliError",
          message: new RegExp(`^CHROME_PATH is ${path}, which doesn't run:`),
        });
      }
    } finally {
      if (before === undefined) delete process.env.CHROME_PATH;
      else process.env.CHROME_PATH = before;
    }
  });
});
