import assert from "node:assert/strict";
import { publishesHere, sshTunnel } from "@store/cli/docker/url";

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

describe("publishesHere", () => {
  it("is true for daemons whose 127.0.0.1 is this machine's", () => {
    for (const host of ["unix:///run/docker.sock", "tcp://127.0.0.1:2376", "tcp://[::1]:2375"])
      assert.ok(publishesHere(host), host);
    for (const host of ["ssh://host", "tcp://10.0.0.5:2376", "tcp://localhost.example.org:2375"])
      assert.ok(!publishesHere(host), host);
    assert.ok(publishesHere("tcp://localhost:2375"));
  });
});
