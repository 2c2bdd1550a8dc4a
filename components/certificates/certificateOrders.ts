import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import {
  DELETE_BEFORE_CREATE,
  hardened,
  NETWORK_OPTIONS,
  START_SECONDS,
} from "../container/container";
import { Files } from "../container/files";
import { LABEL } from "../container/labelNames";
import { labels } from "../container/labels";
import type { Host } from "../host/host";
import { readWithoutComments } from "../shell/shell";
import { type AcmeArgs, certificateFile, certificateFolder, CERTIFICATES } from "./acme";
import type { AcmeCertificate } from "./acmeCertificate";

export interface CertificateOrdersArgs {
  /** ID of the image of lego. */
  readonly imageId: pulumi.Input<string>;
  /** ID of an image with a shell, which writes the files. */
  readonly filesImageId: pulumi.Input<string>;
  readonly acme: AcmeArgs;
  readonly names: readonly string[];
  readonly certificate: AcmeCertificate;
  readonly host: Host;
  /** Resources that must exist before the first order: the gateway, which answers the authority's challenge. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * A container that orders the gateway's certificate and renews it. An `up` doesn't wait for the certificate, and doesn't fail without
 * it: the output of the container's health check is the state of its order.
 */
export class CertificateOrders extends pulumi.ComponentResource {
  readonly containerId: pulumi.Output<string>;
  /** ID of the network by which the container reaches the authority. */
  readonly networkId: pulumi.Output<string>;

  constructor(name: string, args: CertificateOrdersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:CertificateOrders", name, {}, opts);

    // With a way out, and with nobody else: the container needs the authority only.
    const network = new docker.Network(
      name,
      { labels: labels({ service: CERTIFICATES }) },
      { parent: this, ...NETWORK_OPTIONS },
    );
    this.networkId = network.id;
    const files = new Files(
      `${name}-files`,
      {
        service: CERTIFICATES,
        host: args.host,
        imageId: args.filesImageId,
        files: {
          [SCRIPT]: ORDER_SCRIPT,
          [ACCOUNT_KEY]: args.certificate.accountKey,
          ...(args.acme.root !== undefined && { [ROOT]: args.acme.root }),
        },
      },
      { parent: this },
    );
    const writable = this.writableVolume(`${name}-volume`, args);
    this.containerId = this.lego(name, args, network, files, writable).id;
    this.registerOutputs({ containerId: this.containerId });
  }

  /** Makes the volume writable for the container, which doesn't run as root, to whom a new volume belongs. */
  private writableVolume(name: string, args: CertificateOrdersArgs): pulumi.Resource {
    const { volumeName } = args.certificate;
    return args.host.run(
      name,
      pulumi.interpolate`docker run --rm --user 0 --network none --read-only --cap-drop ALL --security-opt no-new-privileges --log-driver none --volume ${volumeName}:/certificates --entrypoint chmod ${args.filesImageId} 1777 /certificates`,
      { parent: this },
    );
  }

  private lego(
    name: string,
    args: CertificateOrdersArgs,
    network: docker.Network,
    files: Files,
    writable: pulumi.Resource,
  ): docker.Container {
    const { acme, names, certificate } = args;
    return new docker.Container(
      name,
      {
        ...hardened({ memoryMiB: 128, waitSeconds: START_SECONDS }),
        // The first result of the health check would come after its interval.
        wait: false,
        image: args.imageId,
        // The image has no user of its own.
        user: "1000:1000",
        entrypoints: ["sh", `${FOLDER}/${SCRIPT}`],
        command: [
          certificateFolder(acme, names),
          certificateFile(acme, names),
          acme.directory,
          // The docker provider refuses an empty argument.
          acme.email ?? "-",
          acme.profile ?? "-",
          ...names,
        ],
        ...(acme.root !== undefined && { envs: ROOT_ENVIRONMENT }),
        volumes: [
          { volumeName: certificate.volumeName, containerPath: "/certificates" },
          files.mountedAt(FOLDER),
        ],
        tmpfs: { "/tmp": "rw,noexec,nosuid,size=4m" },
        networksAdvanced: [{ name: network.name, aliases: [CERTIFICATES] }],
        healthcheck: {
          tests: ["CMD", "cat", "/tmp/status"],
          interval: "10s",
          timeout: "10s",
          retries: 3,
        },
        labels: [
          ...labels({ service: CERTIFICATES, role: "certificates" }),
          // A changed script or key replaces the container, which reads them when it starts.
          { label: LABEL.files, value: files.version },
        ],
      },
      {
        parent: this,
        dependsOn: [files.written, writable, ...args.after],
        // Two at a time would write the same files.
        ...DELETE_BEFORE_CREATE,
      },
    );
  }
}

const FOLDER = "/etc/store";
const SCRIPT = "orderCertificate.sh";
/** Its path is literal in the script. */
const ACCOUNT_KEY = "account.key";

const ROOT = "root.pem";
const ROOT_ENVIRONMENT = [
  `LEGO_CA_CERTIFICATES=${FOLDER}/${ROOT}`,
  "LEGO_CA_SYSTEM_CERT_POOL=true",
];

const ORDER_SCRIPT = `${readWithoutComments(__dirname, SCRIPT)}\n`;
