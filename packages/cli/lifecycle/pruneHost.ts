import type { Docker } from "@store/docker/docker";
import { LABEL } from "../../../components/container/labelNames";
import type { Reporter } from "../terminal/terminal";

/** Age of an image, from which it is removed if no container uses it. A roll-back to a newer one needs no download. */
const UNUSED_FOR = "168h";

/**
 * Removes the project's images from a host that only pulls them, and where each `up` would add some. Images of others stay. An Azure VM
 * does it by itself: components/host/azure/cloud-init/store-prune.service.
 */
export async function pruneHost(docker: Docker, project: string, report: Reporter): Promise<void> {
  const filters = {
    dangling: ["false"],
    until: [UNUSED_FOR],
    label: [`${LABEL.project}=${project}`],
  };
  const query = encodeURIComponent(JSON.stringify(filters));
  const refusal = await docker.post(`/images/prune?filters=${query}`);
  if (refusal !== undefined) report.note(`old images stay on the host: ${refusal}`);
}
