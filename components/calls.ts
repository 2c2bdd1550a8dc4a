import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { createHmac } from "node:crypto";
import { CALLERS_SECRET, dependenciesOf, type ServiceSpec, tokenSecret } from "../services/spec";
import { callersFile } from "./callersFile";
import { SecretFiles, type SecretFilesArgs } from "./container/secrets";

/**
 * Creates the secret files by which a service knows who calls it: for each service that another one depends on, the caller has a token
 * and the called service the token's hash. The tokens of a caller are derived from one secret, so that each callee sees another one and
 * can't use it elsewhere.
 *
 * @param specs Specs of the enabled services by name.
 * @returns the files by service. A service that only calls the gateway has none.
 */
export function callFiles(
  specs: ReadonlyMap<string, ServiceSpec>,
  args: Pick<SecretFilesArgs, "host" | "imageId">,
  opts: pulumi.CustomResourceOptions,
): ReadonlyMap<string, SecretFiles> {
  const callers = [...specs].filter(([, spec]) => dependenciesOf(spec).length > 0);
  const secrets = new Map(callers.map(([caller]) => [caller, callerSecret(caller, opts)]));
  const token = (caller: string, callee: string): pulumi.Output<string> =>
    pulumi.output(secrets.get(caller)).apply((secret = "") => tokenOf(secret, callee));
  const callersOf = (callee: string): pulumi.Output<string> =>
    pulumi
      .all(
        Object.fromEntries(
          callers
            .filter(([, spec]) => dependenciesOf(spec).includes(callee))
            .map(([caller]) => [caller, token(caller, callee)]),
        ),
      )
      .apply(callersFile);
  return new Map(
    [...specs]
      .filter(([, { network }]) => network !== "edge")
      .map(([service, spec]) => {
        const tokens = dependenciesOf(spec).map(
          (callee) => [tokenSecret(callee), token(service, callee)] as const,
        );
        const files = { ...Object.fromEntries(tokens), [CALLERS_SECRET]: callersOf(service) };
        return [
          service,
          new SecretFiles(`${service}-calls`, { ...args, service, secrets: files }, opts),
        ];
      }),
  );
}

function callerSecret(caller: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  return new random.RandomPassword(`${caller}-caller`, { length: 40, special: false }, opts).result;
}

function tokenOf(secret: string, callee: string): string {
  return createHmac("sha256", secret).update(callee).digest("hex");
}
