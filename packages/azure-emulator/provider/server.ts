import * as grpc from "@grpc/grpc-js";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { messageOf } from "@store/docker/messageOf";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { azureNativeVersion } from "../arm/schema";
import { given, Properties } from "../arm/values";
import { Change } from "./changes";
import { grpcErrorOf, PartialFailure, structOf as structOfGiven } from "./partialFailure";
import { CREATE_BEFORE_DELETE, Provider } from "./provider";

/**
 * Serves the provider azure-native to Pulumi engines that attach to it with PULUMI_DEBUG_PROVIDERS, one run at a time.
 *
 * Implements the gRPC protocol, because the SDK's server for providers in TypeScript supports neither detailed diffs nor previews.
 *
 * @returns the port on 127.0.0.1, and a function that stops the server.
 */
export async function serve(provider: Provider): Promise<{ port: number; close: () => void }> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  server.addService(ResourceProviderService, handlers(provider));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { port, close: () => server.forceShutdown() };
}

function handlers(provider: Provider): grpc.UntypedServiceImplementation {
  // Aborted by the engine's Cancel; renewed by the next run's Configure.
  let running = new AbortController();
  return {
    handshake: answer(() => new proto.ProviderHandshakeResponse()),
    attach: answer(() => new Empty()),
    getPluginInfo: answer(() => new PluginInfo().setVersion(azureNativeVersion())),
    getSchema: answer(() =>
      new proto.GetSchemaResponse().setSchema(
        JSON.stringify({ name: "azure-native", version: azureNativeVersion() }),
      ),
    ),
    checkConfig: answer((request: proto.CheckRequest) =>
      checkResponse(
        propertiesOf(request.getNews()),
        provider.checkConfig(propertiesOf(request.getNews())),
      ),
    ),
    diffConfig: answer(() =>
      new proto.DiffResponse().setChanges(proto.DiffResponse.DiffChanges.DIFF_NONE),
    ),
    configure: answer((request: proto.ConfigureRequest) => {
      running = new AbortController();
      provider.configure(propertiesOf(request.getArgs()));
      // Without AcceptSecrets, the engine marks the outputs that correspond to secret inputs as secret.
      return new proto.ConfigureResponse().setSupportspreview(true);
    }),
    check: answer((request: proto.CheckRequest) => {
      const { inputs, problems } = provider.check(
        tokenOf(request.getUrn()),
        request.getUrn(),
        propertiesOf(request.getOlds()),
        propertiesOf(request.getNews()),
      );
      return checkResponse(inputs, problems);
    }),
    diff: answer((request: proto.DiffRequest) => {
      // Like the published provider, overlooks ignoreChanges: the engine has applied it to the new inputs.
      const { changes, deleteBeforeReplace } = provider.diff(
        tokenOf(request.getUrn()),
        propertiesOf(request.getOldInputs()),
        propertiesOf(request.getNews()),
      );
      return diffResponse(changes, deleteBeforeReplace);
    }),
    create: answer(async (request: proto.CreateRequest) => {
      const properties = propertiesOf(request.getProperties());
      if (request.getPreview()) {
        const outputs = provider.preview(tokenOf(request.getUrn()), properties, {});
        return new proto.CreateResponse().setProperties(structOf(outputs));
      }
      const { id, outputs } = await provider.create(
        tokenOf(request.getUrn()),
        properties,
        running.signal,
      );
      return new proto.CreateResponse().setId(id).setProperties(structOf(outputs));
    }),
    update: answer(async (request: proto.UpdateRequest) => {
      const properties = propertiesOf(request.getNews());
      const outputs = request.getPreview()
        ? provider.preview(tokenOf(request.getUrn()), properties, propertiesOf(request.getOlds()))
        : await provider.update(tokenOf(request.getUrn()), properties, running.signal);
      return new proto.UpdateResponse().setProperties(structOf(outputs));
    }),
    read: answer((request: proto.ReadRequest) => {
      const found = provider.read(
        request.getId(),
        tokenOf(request.getUrn()),
        propertiesOf(request.getInputs()),
        propertiesOf(request.getProperties()),
      );
      // An empty ID means that the resource doesn't exist.
      if (found === undefined) return new proto.ReadResponse().setId("");
      return new proto.ReadResponse()
        .setId(request.getId())
        .setProperties(structOf(found.outputs))
        .setInputs(structOf(found.inputs));
    }),
    delete: answer(async (request: proto.DeleteRequest) => {
      await provider.remove(request.getId(), running.signal);
      return new Empty();
    }),
    invoke: answer((request: proto.InvokeRequest) =>
      new proto.InvokeResponse().setReturn(
        structOf(provider.invoke(request.getTok(), propertiesOf(request.getArgs()))),
      ),
    ),
    cancel: answer(() => {
      running.abort(new Error("cancelled"));
      return new Empty();
    }),
  };
}

/** Wraps a handler as a gRPC call. */
function answer<Request, Response>(
  handle: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return ({ request }, callback) => {
    Promise.resolve()
      .then(() => handle(request))
      .then(
        (response) => callback(null, response),
        (error: unknown) =>
          callback(
            error instanceof PartialFailure
              ? grpcErrorOf(error)
              : { code: grpc.status.UNKNOWN, details: messageOf(error) },
          ),
      );
  };
}

function checkResponse(
  inputs: Properties,
  problems: readonly { readonly path: string; readonly reason: string }[],
): proto.CheckResponse {
  const failures = problems.map(({ path, reason }) =>
    new proto.CheckFailure().setProperty(path).setReason(`${path} ${reason}`),
  );
  return new proto.CheckResponse().setInputs(structOf(inputs)).setFailuresList(failures);
}

function diffResponse(
  changes: readonly Change[],
  deleteBeforeReplace: boolean,
): proto.DiffResponse {
  const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
  const replacing = changes.filter(({ replaces }) => replaces);
  const response = new proto.DiffResponse()
    .setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setReplacesList(replacing.map(({ path }) => path))
    .setDiffsList(topLevel(changes))
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(changes.length > 0);
  for (const { path, kind, replaces } of changes) {
    const [update, replace] = KINDS[kind];
    response
      .getDetaileddiffMap()
      .set(path, new proto.PropertyDiff().setKind(replaces ? replace : update).setInputdiff(true));
  }
  return response;
}

const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } =
  proto.PropertyDiff.Kind;
const KINDS = {
  add: [ADD, ADD_REPLACE],
  delete: [DELETE, DELETE_REPLACE],
  update: [UPDATE, UPDATE_REPLACE],
} as const;

function topLevel(changes: readonly Change[]): string[] {
  return [...new Set(changes.map(({ path }) => path.split(/[.[]/)[0] ?? path))];
}

function tokenOf(urn: string): string {
  const types = urn.split("::")[2] ?? "";
  return types.slice(types.lastIndexOf("$") + 1);
}

function propertiesOf(struct: Struct | undefined): Properties {
  const properties = (struct?.toJavaScript() ?? {}) as Properties;
  // Drop the engine's internal keys, such as __internal.
  return given(
    Object.fromEntries(
      Object.entries(properties).filter(
        ([name]) => !name.startsWith("__") || name === CREATE_BEFORE_DELETE,
      ),
    ),
  );
}

function structOf(properties: Properties): Struct {
  return structOfGiven(given(properties));
}
