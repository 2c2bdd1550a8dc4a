import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { LocalHost } from "../../../components/host/localHost";
import { SshHost } from "../../../components/host/ssh/sshHost";
import { plain, resource, resources } from "../mocks";
import { commonProviders } from "./commonProviders";
import { mockedInOwnFolder } from "./mockedFolder";

const REMOTE_COMMAND = "command:remote:Command";

describe("SshHost", () => {
  mockedInOwnFolder();

  function host(user = "deploy", address = "shop.example.org"): SshHost {
    const login = { username: "store", password: pulumi.secret("for-pulling") };
    return new SshHost("host", {
      providers: commonProviders(),
      address,
      user,
      privateKey: "PRIVATE",
      hostKey: "ssh-ed25519 AAAA",
      readyMinutes: 15,
      registry: {
        address: "r.example",
        namespace: "",
        push: { username: "builder", password: "for-pushing" },
        pull: login,
      },
    });
  }

  it("passes standard input, the place for secrets, to a script", async () => {
    host().run("files", "cat >/secret", {}, pulumi.secret("the secret"));
    const { inputs } = await resource(REMOTE_COMMAND, "files");
    assert.equal(plain({ of: inputs["create"] })["of"], "sh -c 'cat >/secret'");
    assert.deepEqual(plain(inputs["stdin"]), "the secret");
  });

  it("closes its own ports to networks, once more when these change", async () => {
    host().closePortsTo([pulumi.output("0123456789abcdef")], {});
    const { inputs } = await resource(REMOTE_COMMAND, "firewall");
    const script = String(inputs["create"]);
    assert.match(script, /0123456789abcdef/);
    assert.match(
      script,
      /ExecStart=.* --insert INPUT --in-interface %i .*--ctstate NEW --jump REJECT/,
    );
    assert.match(script, /systemctl enable/);
  });

  it("connects docker as a user whose name has characters that are special in an address", async () => {
    host("jane.doe@corp", "2001:db8::1");
    const [provider] = await resources("pulumi:providers:docker");
    assert.equal(provider?.inputs["host"], "ssh://jane.doe%40corp@[2001:db8::1]:22");
  });

  it("lets no variable of the environment choose another daemon", async () => {
    host();
    new LocalHost("local", { dockerHost: "unix:///a.sock" });
    const providers = await resources("pulumi:providers:docker");
    assert.equal(providers.length, 2);
    for (const { inputs } of providers) {
      const { context, certPath, caMaterial, certMaterial, keyMaterial } = inputs;
      // An empty value; without a value the provider takes DOCKER_CONTEXT, DOCKER_CERT_PATH and so on.
      assert.deepEqual(
        [context, certPath, caMaterial, certMaterial, keyMaterial],
        Array(5).fill(""),
      );
    }
  });

  it("pulls with the pull credentials", async () => {
    host();
    const [provider] = await resources("pulumi:providers:docker");
    const auth = JSON.stringify(provider?.inputs["registryAuth"]);
    assert.match(auth, /for-pulling/);
    assert.doesNotMatch(auth, /for-pushing/);
  });

  it("installs Docker if it is missing", async () => {
    host();
    const { inputs } = await resource(REMOTE_COMMAND, "host-ready");
    assert.match(String(inputs["stdin"]), /apt install --yes docker\.io/);
    // A user may have another login shell than sh.
    assert.match(String(inputs["create"]), /^sh -c '/);
  });
});
