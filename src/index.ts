/** The package: Parley inside a program of one's own. Guide: docs/guides/plugin.md. */
export type { ActionFunction, ActionFunctions, LocalActionContext } from './agent/actions/local.js';
export type { AgentSources } from './agent/agents.js';
export type { AgentFileInput as AgentOptions } from './agent/file/schema.js';
export { ConfigProblems } from './config/problems.js';
export type { CallControls, CallsSource, LiveCall } from './console/calls-api.js';
export {
  createParley,
  type HandlerOptions,
  type Parley,
  type ParleyHandler,
  type ParleyOptions,
} from './create-parley.js';
export type { DialplanSource } from './dialplan/dialplan.js';
export type { FileEntryInput as DialplanEntryOptions } from './dialplan/file.js';
export { type ErrorCode, ParleyError } from './errors.js';
export type {
  CallDisposition,
  Disposition,
  EndedBy,
  JournalEvent,
  JournalEventType,
  LiveEvent,
  ReplyLatency,
  StoredEvent,
} from './journal/events.js';
export type { EventOf, ParleyEvents, ParleyListener } from './parley-events.js';
export type { SettingsInput as ParleySettings } from './settings.js';
