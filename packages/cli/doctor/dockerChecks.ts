import { BaseImageStatus } from "@store/toolchain/images/plan";
import { inspectBaseImages } from "@store/toolchain/images/baseImages";
import { findDocker, missingDockerCommand } from "@store/toolchain/tools/docker";
import { Docker } from "@store/docker/docker";
import { baseImageNames } from "../project/project";
import { storeCommand } from "../project/storeCommand";
import { dockerEndpoint, Session } from "../project/session";
import type { CheckContext, CheckResult } from "./check";

/** Finds this machine's Docker daemon and checks that it answers. */
export async function findAndCheckDocker(
  session: Session,
): Promise<Pick<CheckContext, "docker" | "dockerResult">> {
  const title = "Docker";
  const up = storeCommand("up", session.stack.name);
  const search = await findDocker(dockerEndpoint(session));
  if (search.found) {
    const { version, arch, host, hostFrom, cli } = search;
    const found = `${version} (${arch}) at ${host}, from ${hostFrom}`;
    const docker = new Docker(search);
    if (cli !== undefined) return { docker, dockerResult: { title, status: "ok", found } };
    const { summary, hint } = missingDockerCommand();
    return {
      docker,
      dockerResult: { title, status: "failed", found: `${found}. ${summary}`, hint },
    };
  }
  const { plan, problem: found } = search;
  return {
    docker: undefined,
    dockerResult:
      plan.action === "tell"
        ? { title, status: "failed", found, hint: plan.remedy }
        : { title, status: "pending", found, hint: `${up} will ${plan.action} it.` },
  };
}

export function checkDocker({ dockerResult }: CheckContext): CheckResult[] {
  return [dockerResult];
}

export async function checkBaseImages({ session, docker }: CheckContext): Promise<CheckResult[]> {
  const names = baseImageNames(session.project, session.stack);
  if (docker === undefined || Object.values(names).some((name) => name === "")) return [];
  return (await inspectBaseImages(names, docker)).map((image) =>
    baseImageResult(image, storeCommand("up", session.stack.name)),
  );
}

export function baseImageResult(image: BaseImageStatus, up: string): CheckResult {
  const { ref: title, configKey, local, registry, canBeBuilt } = image;
  if (local === "official") return { title, status: "ok", found: "official image" };
  if (registry?.answer === "serves") {
    const found =
      local === "absent" || local === "tagged"
        ? "not pulled yet"
        : "fallback image made from packages";
    return { title, status: "pending", found, hint: `${up} will pull the official image.` };
  }
  if (registry?.answer === "refuses") {
    const found = `refused by its registry: ${registry.reason}`;
    return { title, status: "failed", found, hint: `Set ${configKey} to an existing image.` };
  }
  if (local === "tagged") {
    const found = "image under this tag, whose digest can't be checked (registry unreachable)";
    return { title, status: "ok", found };
  }
  if (local === "fallback") {
    const lag = image.laggingVersion;
    const found = `fallback image made from packages (registry unreachable)${lag ? `, of the older version ${lag}` : ""}`;
    return { title, status: "ok", found };
  }
  if (canBeBuilt) {
    const hint = `${up} will make a fallback image from packages.`;
    return { title, status: "pending", found: "registry unreachable", hint };
  }
  return {
    title,
    status: "failed",
    found: `registry unreachable: ${registry?.reason ?? "no answer"}`,
    hint: `Load the image (docker load), or set ${configKey} to an official image.`,
  };
}
