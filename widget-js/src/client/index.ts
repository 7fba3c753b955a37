// The browser client that the widget and the console share. See `client.ts` for what it promises.

export { api, problemOf, ProblemError, upload } from "./api.ts";
export type { ApiRequest, UploadOptions } from "./api.ts";
export { Client, createAgentClient, createVisitorClient } from "./client.ts";
export type { ClientOptions, Credentials, SignalFrame, Status } from "./client.ts";
export type { News, TransportKind } from "./connection.ts";
export { browserEnvironment } from "./environment.ts";
export { checkFile } from "./file.ts";
export type { FileLimits } from "./file.ts";
export { newId } from "./id.ts";
export { toJson } from "./json.ts";
export type { Environment, OpenRequest, Transport } from "./environment.ts";
export { StopError } from "./link.ts";
export { numberOf } from "./log.ts";
export type { AnyEntry, Log } from "./log.ts";
export { filesOf } from "./outbox.ts";
export type { Outbox, OutboxItem } from "./outbox.ts";
export type { SendOptions, Sent } from "./sender.ts";
export { localStorageOrNull } from "./outbox-store.ts";
