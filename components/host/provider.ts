import type * as docker from "@pulumi/docker";

/**
 * Arguments of a Docker provider whose defaults are variables of the environment (DOCKER_CONTEXT, DOCKER_CERT_PATH and others). These
 * variables have precedence over `host`, so that a stack could be deployed to another daemon. An empty value disables the default.
 *
 * @see https://github.com/kreuzwerker/terraform-provider-docker/issues/704
 */
export const NO_DEFAULTS_FROM_ENVIRONMENT: docker.ProviderArgs = {
  context: "",
  certPath: "",
  caMaterial: "",
  certMaterial: "",
  keyMaterial: "",
};
