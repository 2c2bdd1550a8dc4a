import * as grpc from "@grpc/grpc-js";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import * as status from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { FailedOperation } from "../arm/armError";
import { Properties } from "../arm/values";

/** A resource that exists, but whose creation or update failed. The engine stores it in the state with the error. */
export class PartialFailure extends Error {
  readonly id: string;

  constructor(
    error: FailedOperation,
    readonly inputs: Properties,
    readonly outputs: Properties,
  ) {
    super(responseText(error));
    this.name = "PartialFailure";
    this.id = error.resource.id;
  }
}

/**
 * Returns the failure as the published provider reports it: not in its own words, but as the text of Azure's library for Go about the
 * last response.
 */
function responseText({ code, reason, resource }: FailedOperation): string {
  const line = "-".repeat(80);
  const subscription = resource.id.split("/").slice(0, 3).join("/");
  const body = { status: "Failed", error: { code, message: reason } };
  return [
    `GET https://management.azure.com${subscription}/providers/Microsoft.Compute/locations/operations/${crypto.randomUUID()}`,
    line,
    "RESPONSE 200: 200 OK",
    `ERROR CODE: ${code}`,
    line,
    JSON.stringify(body, undefined, 2),
    line,
  ].join("\n");
}

/** Returns the gRPC error with the details from which the engine learns that the resource exists. */
export function grpcErrorOf(failure: PartialFailure): Partial<grpc.StatusObject> {
  const detail = new proto.ErrorResourceInitFailed()
    .setId(failure.id)
    .setProperties(structOf(failure.outputs))
    .setInputs(structOf(failure.inputs))
    .setReasonsList([failure.message]);
  const any = new Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const response = new status.Status();
  response.setCode(grpc.status.UNKNOWN);
  response.setMessage(failure.message);
  response.addDetails(any);
  const metadata = new grpc.Metadata();
  // The key under which gRPC's libraries expect the details.
  metadata.add("grpc-status-details-bin", Buffer.from(response.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details: failure.message, metadata };
}

export function structOf(properties: Properties): Struct {
  return Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
}
