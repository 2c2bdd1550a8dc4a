import { diagnoseTakenPort, keyOfPort } from "./port";
import { resourceOf, retryCommand, Rule, commandFor } from "../rule";

export const portTaken: Rule = {
  name: "port-taken",
  match: [
    /listen \w+ \S*?:(\d+): bind: address already in use/,
    /Bind for \S*?:(\d+) failed: port is already allocated/,
    /failed to bind host port.*?:(\d+)(?:\/tcp)?.*address already in use/,
    /[Pp]orts are not available.*?:(\d+)/,
  ],
  toDiagnostic: ({ match }, { session, docker }) =>
    diagnoseTakenPort(session, docker, Number(match[1])),
};

export const portPrivileged: Rule = {
  name: "port-privileged",
  match: [/cannot expose privileged port (\d+)/],
  toDiagnostic: ({ match }, context) => {
    const port = match[1] ?? "";
    const key = keyOfPort(context.session, port);
    return {
      summary: `Rootless Docker may not listen on port ${port} (store:${key}): the system reserves low ports for root.`,
      hint:
        `Choose another port: ${commandFor(`pulumi config set ${key} ${key === "httpPort" ? 8080 : 8443}`, context)}. Or allow it on Docker's host: ` +
        `sudo sysctl net.ipv4.ip_unprivileged_port_start=${port} (until a reboot; for good in /etc/sysctl.d). ` +
        `Then: ${retryCommand(context)}`,
    };
  },
};

export const networksExhausted: Rule = {
  name: "networks-exhausted",
  // Docker before and since version 28.
  match: [/non-overlapping IPv4 address pool|address pools have been fully subnetted/],
  toDiagnostic: (found, context) => ({
    summary: `Creating the network ${resourceOf(found)} failed: Docker has no free address range for another network.`,
    details: [found.error.message],
    hint:
      `Each stack has one network per service and per database, and two or three more. Take down an unused stack (./store ls lists them; ./store down ` +
      `STACK keeps its data), remove unused networks (docker network prune), or make Docker's networks smaller: "default-address-pools": ` +
      `[{"base": "172.16.0.0/16", "size": 24}] in its daemon.json allows 256, and needs a restart of Docker. The range must be a private one that ` +
      `neither your network nor Docker itself (172.17.0.0/16) uses. Then: ${retryCommand(context)}`,
  }),
};

export const networkInUse: Rule = {
  name: "network-in-use",
  match: [/Network::.*waiting for state to become 'removed'/s, /network \S+ has active endpoints/],
  toDiagnostic: (found, context) => {
    const network = `$(docker network ls --quiet --filter name=^${resourceOf(found)}-)`;
    return {
      summary: `Removing the network ${resourceOf(found)} failed: a container that isn't the stack's is connected to it.`,
      details: [found.error.message],
      hint:
        `List it: docker network inspect ${network} --format '{{range .Containers}}{{.Name}} {{end}}'. Disconnect it: docker network disconnect ` +
        `${network} CONTAINER. Then: ${retryCommand(context)}`,
    };
  },
};
