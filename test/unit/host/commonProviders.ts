import * as command from "@pulumi/command";
import * as random from "@pulumi/random";
import type { CommonProviders } from "../../../components/host/host";

export function commonProviders(): CommonProviders {
  return {
    random: new random.Provider("passwords"),
    commands: new command.Provider("commands"),
  };
}
