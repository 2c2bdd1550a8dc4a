import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { labels } from "../container/labels";
import type { OrderedCertificate } from "../gateway/https";
import type { Host } from "../host/host";
import {
  type AcmeArgs,
  certificateFile,
  CERTIFICATES,
  CERTIFICATES_FOLDER,
  challengeAnswer,
} from "./acme";

export interface AcmeCertificateArgs {
  readonly acme: AcmeArgs;
  /** Names of the certificate. */
  readonly names: readonly string[];
  readonly host: Host;
  /** Resources that must exist before the volume is created. Defaults to none. */
  readonly after?: readonly pulumi.Resource[];
}

/**
 * Everything about a certificate ordered by ACME that outlives the containers: the account's key, the volume of the certificates, and a
 * self-signed certificate, with which the gateway starts.
 */
export class AcmeCertificate extends pulumi.ComponentResource {
  readonly certificate: OrderedCertificate;
  readonly volumeName: pulumi.Output<string>;
  /** Private key of the account in PEM. A secret. */
  readonly accountKey: pulumi.Output<string>;

  constructor(name: string, args: AcmeCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:AcmeCertificate", name, {}, opts);

    // In the state, so that the account survives the loss of the volume, and with it what the authority allows it.
    const account = this.key(`${name}-account`);
    this.accountKey = account.privateKeyPem;
    this.volumeName = this.volume(name, args).name;
    this.certificate = {
      placeholder: this.placeholder(name, args.names),
      challengeAnswer: account.publicKeyPem.apply(challengeAnswer),
      volumeName: this.volumeName,
      file: certificateFile(args.acme, args.names),
    };
    this.registerOutputs({ volumeName: this.volumeName });
  }

  private key(name: string): tls.PrivateKey {
    return new tls.PrivateKey(name, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
  }

  /** Not protected, unlike the databases' data: it can be ordered again, and removing store:domain removes it. */
  private volume(name: string, { host, after = [] }: AcmeCertificateArgs): docker.Volume {
    return new docker.Volume(
      name,
      {
        ...host.dataVolume(CERTIFICATES_FOLDER).args,
        labels: labels({ service: CERTIFICATES, role: "certificates" }),
      },
      // The labels contain the stack's name. Other labels would replace the volume.
      { parent: this, dependsOn: [...after], ignoreChanges: ["labels"] },
    );
  }

  private placeholder(name: string, names: readonly string[]): pulumi.Output<string> {
    const { privateKeyPem } = this.key(`${name}-placeholder`);
    const { certPem } = new tls.SelfSignedCert(
      `${name}-placeholder`,
      {
        privateKeyPem,
        dnsNames: [...names],
        allowedUses: ["digital_signature", "server_auth"],
        validityPeriodHours: PLACEHOLDER_HOURS,
      },
      { parent: this },
    );
    return pulumi.secret(pulumi.interpolate`${certPem}${privateKeyPem}`);
  }
}

/** Ten years: no client trusts it anyway, and nothing renews it. */
const PLACEHOLDER_HOURS = 87_600;
