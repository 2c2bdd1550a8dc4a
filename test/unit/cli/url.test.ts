import assert from "node:assert/strict";
import { sshTunnel } from "@store/cli/docker/url";

describe("sshTunnel", () => {
  it("returns the command for a daemon behind ssh only", () => {
    assert.equal(
      sshTunnel("ssh://jane.doe@shop.example.org:2222", "http://localhost:8080"),
      "ssh -N -L 8080:127.0.0.1:8080 -l jane.doe -p 2222 -- shop.example.org",
    );
    assert.match(
      sshTunnel("ssh://host", "http://localhost") ?? "",
      /-L 80:127\.0\.0\.1:80 -- host$/,
    );
    assert.equal(sshTunnel("unix:///var/run/docker.sock", "http://localhost:8080"), undefined);
  });
});
