import { createHash } from "node:crypto";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { labels } from "../container/labels";
import { SecretFiles } from "../container/secrets";
import type { Host } from "../host/host";
import { readWithoutComments, withArguments } from "../shell/shell";

/** TLS of a connection; the names are PostgreSQL's own. "require" doesn't check the server's certificate. */
export type SslMode = "disable" | "require" | "verify-full";

/** A database on a server that the stack doesn't run. */
export interface DatabaseServer {
  /** Name or address of the server. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: pulumi.Input<string>;
  readonly sslMode: SslMode;
  /** Root certificates of the server's authority in PEM, for "verify-full". Defaults to the public authorities. */
  readonly root?: string;
}

export interface ExternalDatabaseArgs {
  /** Service that uses the database. */
  readonly service: string;
  readonly host: Host;
  readonly server: DatabaseServer;
  /** ID of the PostgreSQL image, whose client checks the database. */
  readonly imageId: pulumi.Input<string>;
  /** ID of an image with a shell and the public authorities' certificates, which writes the secret files. */
  readonly filesImageId: pulumi.Input<string>;
  /** Network by which the service reaches the server. */
  readonly network: docker.Network;
}

/**
 * The connection of a service to a database on another server. An `up` checks it on the host before anything of the service changes, so that a
 * wrong address or password replaces no instance, nor the files of those that run.
 */
export class ExternalDatabase extends pulumi.ComponentResource {
  /** Variables of the service, with the names that services/spec.ts documents. */
  readonly environment: Readonly<Record<string, string>>;
  /** The password, and the root certificates if there are some. */
  readonly secrets: SecretFiles;
  /** Resource after which the database can be used. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: ExternalDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:ExternalDatabase", name, {}, opts);
    const { service, host, server, filesImageId } = args;

    this.ready = this.check(name, args);
    this.secrets = new SecretFiles(
      `${name}-${endpointHash(server)}`,
      {
        ...{ service, host, imageId: filesImageId, after: [this.ready] },
        secrets: {
          DATABASE_PASSWORD: server.password,
          ...(server.root !== undefined && { DATABASE_SSLROOTCERT: server.root }),
        },
      },
      { parent: this },
    );
    this.environment = {
      DATABASE_HOST: server.host,
      DATABASE_PORT: server.port.toString(),
      DATABASE_NAME: server.database,
      DATABASE_USER: server.user,
      DATABASE_SSLMODE: server.sslMode,
    };
    this.registerOutputs({ host: server.host });
  }

  /** Logs in as the service does, on the network of its instances. On a swarm, it is the first machine that does. */
  private check(
    name: string,
    { service, host, server, imageId, filesImageId, network }: ExternalDatabaseArgs,
  ): pulumi.Resource {
    const options = [
      "--rm --read-only --cap-drop ALL --security-opt no-new-privileges --log-driver none",
      ...labels({ service, role: "files" }).map(({ label, value }) => `--label ${label}=${value}`),
    ].join(" ");
    const networkOption = host.swarm ? "" : pulumi.interpolate` --network ${network.name}`;
    const check = pulumi.interpolate`docker run --interactive ${options} --user postgres --tmpfs /tmp${networkOption} --entrypoint sh ${imageId} -s`;
    const readRoots = pulumi.interpolate`docker run ${options} --network none --entrypoint cat ${filesImageId} ${PUBLIC_ROOTS}`;
    const usesPublicRoots = server.sslMode === "verify-full" && server.root === undefined;
    return host.run(
      `${name}-check`,
      // PostgreSQL's image has no certificates of authorities.
      usesPublicRoots
        ? pulumi.interpolate`{ echo "roots='"; ${readRoots}; echo "'"; cat; } | ${check}`
        : check,
      { parent: this },
      pulumi
        .secret(server.password)
        .apply((password) => externalCheck(service, { ...server, password })),
    );
  }
}

/** Returns a script for the PostgreSQL image that refuses a database which the service can't use. */
export function externalCheck(
  service: string,
  {
    host,
    port,
    database,
    user,
    password,
    sslMode,
    root = "",
  }: DatabaseServer & { password: string },
): string {
  return withArguments(CHECK_SCRIPT, [
    ...[service, host, port.toString(), database, user],
    ...[password, sslMode, root],
  ]);
}

/**
 * File of Debian's package ca-certificates, which HAProxy's image has.
 *
 * @see https://github.com/docker-library/haproxy/pull/216
 */
const PUBLIC_ROOTS = "/etc/ssl/certs/ca-certificates.crt";

const CHECK_SCRIPT = readWithoutComments(__dirname, "checkExternal.sh");

/**
 * Returns a part of a name that changes with the server and the login, but not with the password: instances that use another server go on
 * reading their own password until they are replaced, while a new password is for those that run, too.
 */
function endpointHash({ host, port, database, user }: DatabaseServer): string {
  const endpoint = JSON.stringify([host, port, database, user]);
  return createHash("sha256").update(endpoint).digest("hex").slice(0, 8);
}
