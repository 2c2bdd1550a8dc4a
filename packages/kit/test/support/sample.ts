import { startService, UNREACHABLE_URL, type RunningService } from "./service.ts";
import { createStaff } from "./staff.ts";

/** Folder of the service that the kit's own tests run, relative to the repository. */
export const SAMPLE_FOLDER = "packages/kit/test/sample";

/** The staff token of every sample service. */
export const sampleStaff = createStaff();

/** Starts the sample service. Unless OTHER_URL is given, the service that it calls is unreachable. */
export function startSample(
  environment: Readonly<Record<string, string>>,
): Promise<RunningService> {
  return startService(
    "sample",
    { OTHER_URL: UNREACHABLE_URL, ...sampleStaff.environment, ...environment },
    { folder: SAMPLE_FOLDER },
  );
}
