import type * as pulumi from "@pulumi/pulumi";
import type { Https } from "../gateway/https";
import type { Host } from "../host/host";
import type { HttpsArgs } from "../storeArgs";
import type { AcmeArgs } from "./acme";
import type { AcmeCertificate } from "./acmeCertificate";
import type { CertificateOrders } from "./certificateOrders";

/** Returns the authority from which the certificate is ordered; undefined if it is in the configuration, or without HTTPS. */
export function acmeOf(https: HttpsArgs | undefined): AcmeArgs | undefined {
  return https && "directory" in https.certificate ? https.certificate : undefined;
}

/** Arguments of the gateway for HTTPS, and what orders its certificate, if it is ordered. */
export interface AutomaticHttps {
  readonly https: Https | undefined;
  /**
   * Creates the container that orders the certificate. Undefined if none is ordered.
   *
   * @param images IDs of the images of lego and of one with a shell.
   * @param after Resources that must exist before the first order.
   */
  readonly order?: (
    images: Readonly<Record<"lego" | "files", pulumi.Input<string>>>,
    after: readonly pulumi.Resource[],
  ) => CertificateOrders;
}

/** @param after Resources that must exist before the certificates' volume. */
export function automaticHttps(
  args: HttpsArgs | undefined,
  host: Host,
  after: readonly pulumi.Resource[],
  opts: pulumi.ComponentResourceOptions,
): AutomaticHttps {
  if (args === undefined) return { https: undefined };
  const { certificate, names, ...rest } = args;
  if (!("directory" in certificate)) return { https: { ...rest, names, certificate } };
  const common = { acme: certificate, names, host };
  const acme = new (lazy.certificate().AcmeCertificate)(
    "gateway-certificates",
    { ...common, after },
    opts,
  );
  return {
    https: { ...rest, names, certificate: acme.certificate },
    order: ({ lego, files }, before) =>
      new (lazy.orders().CertificateOrders)(
        "certificates",
        { ...common, imageId: lego, filesImageId: files, certificate: acme, after: before },
        opts,
      ),
  };
}

// Loaded on demand: a stack without an ordered certificate doesn't need the SDK of the tls provider.
/* eslint-disable @typescript-eslint/no-require-imports */
const lazy = {
  certificate: () => require("./acmeCertificate") as { AcmeCertificate: typeof AcmeCertificate },
  orders: () => require("./certificateOrders") as { CertificateOrders: typeof CertificateOrders },
};
/* eslint-enable @typescript-eslint/no-require-imports */
