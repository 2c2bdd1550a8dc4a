import { configText, namesOfStore, Project, Stack, trustedRoot } from "../../project/project";
import { describeCertificate, servedCertificate } from "./servedCertificate";

/** Describes the certificate that the stack's name shows at the moment. Undefined without HTTPS, and if nothing answers there. */
export async function certificateNote(project: Project, stack: Stack): Promise<string | undefined> {
  const [name] = namesOfStore(project, stack);
  if (name === undefined) return undefined;
  const url = `https://${name}:${configText(project, stack, "httpsPort")}`;
  const certificate = await servedCertificate(url, trustedRoot(project, stack));
  return certificate && `the certificate of ${name} is ${describeCertificate(certificate)}`;
}
