import { main, Provider } from "@pulumi/pulumi/provider";

/** A provider for every resource type of a preview: accepts all inputs. One process serves all providers of the test. */
const acceptsEverything: Provider = { version: "0.0.1" };

void main(acceptsEverything, process.argv.slice(2));
