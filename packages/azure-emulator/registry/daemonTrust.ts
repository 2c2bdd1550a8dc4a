import { docker } from "../docker";

/** Makes this machine's Docker daemon trust the registry's CA. The daemon reads /etc/docker/certs.d at each pull and push. */
export async function trustRegistry(
  image: string,
  { address, authority }: { readonly address: string; readonly authority: string },
): Promise<void> {
  await editDockerFolder(
    image,
    'mkdir -p "/host/certs.d/$REGISTRY" && printf %s "$AUTHORITY" >"/host/certs.d/$REGISTRY/ca.crt"',
    { REGISTRY: address, AUTHORITY: authority },
  );
}

/** Removes the CA that `trustRegistry` has installed. */
export async function distrustRegistry(image: string, address: string): Promise<void> {
  await editDockerFolder(
    image,
    'rm -rf "/host/certs.d/$REGISTRY"; rmdir /host/certs.d 2>/dev/null || true',
    { REGISTRY: address },
  );
}

/** Runs a script with /etc/docker mounted at /host. In a container, because this user may not be root, but the daemon is. */
async function editDockerFolder(
  image: string,
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  await docker(
    ...["run", "--rm", "--network", "none", "--volume", "/etc/docker:/host"],
    ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...["--entrypoint", "sh", image, "-c", script],
  );
}
