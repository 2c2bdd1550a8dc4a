import type * as pulumi from "@pulumi/pulumi";
import type * as random from "@pulumi/random";
import type { ServiceSpec } from "../services/spec";
import type { AcmeArgs } from "./certificates/acme";
import type { DatabaseServer } from "./database/externalDatabase";
import type { Https, OwnCertificate } from "./gateway/https";
import type { Host } from "./host/host";
import type { ImageSource } from "./image/image";
import type { Publishing } from "./registry/registry";

export interface StoreArgs {
  readonly host: Host;
  /** Provider that generates the passwords. */
  readonly passwords: random.Provider;
  /** Specs of all services, enabled or not, by name. */
  readonly specs: ReadonlyMap<string, ServiceSpec>;
  /** Names of the services to run. */
  readonly enabledServices: readonly string[];
  /** Names of the enabled services that run in dev mode, from mounted sources. Defaults to none. */
  readonly devModeServices?: readonly string[];
  /** Number of instances by service. Defaults to the number in the service's spec. */
  readonly replicas?: Readonly<Record<string, number>>;
  /** Third-party images by exact version. */
  readonly images: {
    readonly node: string;
    readonly postgres: string;
    readonly haproxy: string;
    /** Used only if the certificate is ordered. */
    readonly lego: string;
  };
  /** Repository and commit of this checkout, for the images' labels. */
  readonly source: pulumi.Input<ImageSource>;
  /** Registry through which images reach the host. Defaults to none: the host builds its images. */
  readonly publish?: Publishing;
  /** Name of buildx' builder that builds the images of a host without a registry. Defaults to "default". */
  readonly buildxBuilder?: string;
  /** Port of the host for the gateway. */
  readonly httpPort: number;
  /** Defaults to HTTP only. */
  readonly https?: HttpsArgs;
  /** Address ranges of proxies in front of the store, whose X-Forwarded headers count. Defaults to none. */
  readonly trustedProxies?: readonly string[];
  /** Further host names under which the store is reached. "*" accepts any. Defaults to none. */
  readonly allowedHosts?: readonly string[];
  /** Requests that one client address may send to the gateway in 10 s; 0 switches off this limit and those of the specs. */
  readonly requestLimit: number;
  /** Connections that one client address may have to the gateway at a time; 0 switches off the limit. */
  readonly connectionLimit: number;
  /** Additional environment variables, by service and name. Defaults to none. */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Additional secrets, by service and name. Defaults to none. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, pulumi.Input<string>>>>>;
  /** Databases on other servers, by service. Defaults to none: each service with a database has a container for it. */
  readonly externalDatabases?: Readonly<Record<string, DatabaseServer>>;
  /** "sha256:" and the hash of each additional staff token, by name; docs/operations.md explains them. Defaults to none. */
  readonly staffTokens?: Readonly<Record<string, string>>;
  /** OTLP/HTTP endpoint to which the services send traces. Defaults to none: no traces are sent. */
  readonly otlpEndpoint?: string;
  /** Fills an empty catalogue with demo products. */
  readonly demoData: boolean;
}

/** HTTPS with a certificate from the configuration, or with one that is ordered from an authority. */
export interface HttpsArgs extends Omit<Https, "certificate"> {
  readonly certificate: OwnCertificate | AcmeArgs;
}
