/**
 * The one table of coded errors. Each row: what happened, the SIP status it answers a request with (where one
 * applies), and the mend told to the user. `{name}` is filled from the error's details.
 */
export const ERRORS = {
  PARLEY_ERR_CONFIG_FILE: {
    message: 'cannot read {file}: {reason}',
    mend: 'Check that the file exists and may be read.',
  },
  PARLEY_ERR_CONFIG_INVALID: {
    message: '{file}:{line}: {key}: {reason}',
    mend: '{hint}',
  },
  PARLEY_ERR_OPTION_INVALID: {
    message: 'createParley: {key}: {reason}',
    mend: '{hint}',
  },
  PARLEY_ERR_PLUGIN_SRF: {
    message: 'handler() needs the drachtio-srf of the application',
    mend: 'Give it to createParley as `srf`; without one Parley opens a SIP server of its own and takes its calls itself.',
  },
  PARLEY_ERR_CONFIG_ENV: {
    message: 'environment variable {name}: {reason}',
    mend: 'Correct or unset {name}.',
  },
  PARLEY_ERR_RELOAD: {
    message: 'the changed files are not used: {reason}',
    mend: 'Correct what is named (parley check tells it, too); until then calls are answered with what was loaded before.',
  },
  PARLEY_ERR_INIT_EXISTS: {
    message: '{file} is there already',
    mend: 'Name another folder (npx parley init DIR), or move what is there: nothing is overwritten.',
  },
  PARLEY_ERR_WAV_INVALID: {
    message: 'cannot read {name}: {reason}',
    mend: 'Give a WAV file of PCM, float, G.711 or ADPCM samples; sox or ffmpeg convert others.',
  },
  PARLEY_ERR_SDP_INVALID: {
    message: 'invalid SDP: {reason}',
    mend: 'Correct the session description that the peer sends (RFC 8866, RFC 3264).',
    sip: 400,
  },
  PARLEY_ERR_SDP_NO_CODEC: {
    message: 'no usable audio in the session description: {reason}',
    mend: 'Let the peer offer RTP/AVP audio with one of: {codecs}.',
    sip: 488,
  },
  PARLEY_ERR_SDP_FAMILY: {
    message: 'RTP cannot go to {remote}: it is bound to {local}',
    mend: 'Set rtp.bind (and rtp.address) to an address of the family, IPv4 or IPv6, that the peers use for audio.',
    sip: 488,
  },
  PARLEY_ERR_SRTP_POLICY: {
    message: 'audio cannot be agreed on with srtp {policy}: {reason}',
    mend: 'Set srtp (of rtp, or of the trunk) to what the peer does, off, preferred or required, or set the peer to what Parley shall do.',
    sip: 488,
  },
  PARLEY_ERR_RTP_NO_PORT: {
    message: 'no free RTP port in {from}-{to}',
    mend: 'Widen rtp.ports: each call needs two ports (RTP and RTCP).',
    sip: 503,
  },
  PARLEY_ERR_RTP_BIND: {
    message: 'cannot bind RTP to {address}: {reason}',
    mend: 'Set rtp.bind to an address of this machine.',
    sip: 500,
  },
  PARLEY_ERR_DTMF_INVALID: {
    message: 'cannot send the keys "{digits}": {reason}',
    mend: 'Give 0-9, A-D, * and #; a comma is a pause of 1 s, w one of 500 ms.',
  },
  PARLEY_ERR_RECORDING_WRITE: {
    message: 'call {call} can no longer be recorded to {file}: {reason}',
    mend: 'Check that recording.folder may be written to and that its disk has room. What was recorded so far is kept; the call goes on.',
  },
  PARLEY_ERR_RECORDING_SLOW: {
    message: 'the recording of call {call} in {file} has gaps: {reason}',
    mend: 'Put recording.folder on a faster disk, or record fewer calls at a time; recording.format opus writes a tenth of wav.',
  },
  PARLEY_ERR_RECORDING_OPUS: {
    message: 'call {call} is recorded as WAV instead of Opus: {reason}',
    mend: 'Install the optional package @discordjs/opus (it may need a compiler), or set recording.format to wav.',
  },
  PARLEY_ERR_MEDIA_LOST: {
    message: 'the media worker of this call ended: {reason}',
    mend: 'The worker is started again by itself; if it happens often, report it with the log lines around it.',
    sip: 500,
  },
  PARLEY_ERR_MODEL_MISSING: {
    message: 'model file {file} is missing',
    mend: 'Install Parley again; in a clone, run npm ci: it copies the models of its packages to vendor/.',
  },
  PARLEY_ERR_MODEL_UNUSABLE: {
    message: 'cannot load model {file}: {reason}',
    mend: 'Install Parley again, and check that there is enough memory. Parley runs on Linux, x64 and arm64, with glibc.',
  },
  PARLEY_ERR_DETECTION_FAILED: {
    message: 'voice activity detection failed: {reason}',
    mend: 'Report this with the log lines around it.',
    sip: 500,
  },
  PARLEY_ERR_RECOGNITION_FAILED: {
    message: 'speech recognition failed: {reason}',
    mend: 'The call goes on; if it happens often, report it with the log lines around it.',
    sip: 500,
  },
  PARLEY_ERR_SPEECH_WORKER: {
    message: 'a speech worker did not do its work: {reason}',
    mend: 'It is replaced by itself. If it happens again, look at the log lines of its thread, at memory, and at speech.workers.',
    sip: 503,
  },
  PARLEY_ERR_SYNTHESIS_ENGINE: {
    message: 'cannot use the synthesis engine "{engine}": {reason}',
    mend: 'Set the voice engine of the agent file to one of: {engines}. If the name is right, run npm ci again.',
  },
  PARLEY_ERR_SYNTHESIS_FAILED: {
    message: 'speech synthesis with {engine} failed: {reason}',
    mend: 'The call goes on without this sentence; if it happens often, report it with the log lines around it.',
    sip: 500,
  },
  PARLEY_ERR_STORE_UNAVAILABLE: {
    message: 'the store does not answer: {reason}',
    mend: 'Check that Redis runs at store.redis.url, or that the data directory can be written. Calls go on meanwhile; events are kept in memory and written when the store is back.',
  },
  PARLEY_ERR_STORE_REQUIRED: {
    message: 'the store does not answer, and the dialplan takes no call without it',
    mend: 'Bring the store back; or give the entry a fallback, or take requireStore away from it.',
    sip: 503,
  },
  PARLEY_ERR_STORE_GAP: {
    message: 'stream {stream} ends at {last}, so entry {seq} cannot follow',
    mend: 'The store lost entries (a server restarted empty). The writer of the stream writes it again.',
  },
  PARLEY_ERR_KEY_FILE: {
    message: 'the encryption keys in {file} cannot be used: {reason}',
    mend: 'Write a key of 32 bytes a line, as `openssl rand -base64 32` prints it, into the file of store.encryption.keysFile; see docs/guides/privacy.md.',
  },
  PARLEY_ERR_KEY_MISSING: {
    message: '{what} is encrypted with key {key}, which is not there',
    mend: 'Add that key to the file of store.encryption.keysFile, below the first; old keys are needed until `parley rekey` has run.',
  },
  PARLEY_ERR_SEAL_BROKEN: {
    message: '{what} was changed or damaged after it was encrypted',
    mend: 'Restore it from a backup, or delete it; find out who can write to the store.',
  },
  PARLEY_ERR_STORE_NAME: {
    message: 'the name {name} is too long to be kept as a file',
    mend: 'Use names of at most 200 bytes.',
  },
  PARLEY_ERR_ACTION_FAILED: {
    message: 'action {action} failed: {reason}',
    mend: 'Check the system that the action calls, and its timeoutMs in the agent file. The caller is told, and offered a person.',
  },
  PARLEY_ERR_REASONER_FAILED: {
    message: 'the reasoner of agent {agent} failed: {reason}',
    mend: 'The caller is asked to say it again; if it happens often, report it with the log lines around it.',
  },
  PARLEY_ERR_LLM_FAILED: {
    message: 'the language model at {url} failed: {reason}',
    mend: 'Check url, model and headers, and that the server runs. A caller is asked to say it again, and put through to a person when it goes on.',
  },
  PARLEY_ERR_AGENT_UNKNOWN: {
    message: 'there is no agent "{agent}"',
    mend: 'Name one of: {known}.',
  },
  PARLEY_ERR_HANDOFF_UNUSABLE: {
    message: 'what the IVR handed over with this call cannot be used: {reason}',
    mend: 'The call goes on without it. Post the hand-off before the call is forwarded, use its token for one call only, and see docs/guides/ivr-context.md.',
  },
  PARLEY_ERR_HTTP_START: {
    message: 'HTTP could not listen on {host}:{port}: {reason}',
    mend: 'Choose another port with http.port or --http HOST:PORT, or stop what listens there.',
  },
  PARLEY_ERR_API: {
    message: 'the server at {url} did not do this: {reason}',
    mend: 'Check that `parley serve` runs there (--url), and that --token, PARLEY_TOKEN or http.token may do it.',
  },
  PARLEY_ERR_HTTP_BODY: {
    message: 'this request cannot be carried out: {reason}',
    mend: 'Send JSON as docs/guides/call-control.md says.',
  },
  PARLEY_ERR_HTTP_NO_CALL: {
    message: 'there is no live call {call}',
    mend: 'GET /v1/calls lists the live calls.',
  },
  PARLEY_ERR_HTTP_UNAUTHORIZED: {
    message: 'this request shows no valid token',
    mend: 'Send Authorization: Bearer with the token of http.token, or with one that `parley tokens create` makes.',
  },
  PARLEY_ERR_HTTP_ROLE: {
    message: 'a token of role {role} may not do this; it takes {needed}',
    mend: 'Make a token of that role: parley tokens create NAME --role {needed}.',
  },
  PARLEY_ERR_CALL_LIVE: {
    message: 'call {call} is not over',
    mend: 'End it first, or wait: a call whose node died counts as over ten minutes after its last event.',
  },
  PARLEY_ERR_LIVE_FRAME: {
    message: 'this frame is not understood: {frame}',
    mend: 'Send {"type":"ping"} or nothing: what is subscribed to stands in the address, see docs/guides/live-journal.md. Audio: binary PCM, or {"type":"talk","to":"all"}.',
  },
  PARLEY_ERR_LIVE_FULL: {
    message: 'there are {limit} readers of live events already',
    mend: 'Close sockets that nobody reads, or read from another node.',
  },
  PARLEY_ERR_TOKEN_UNKNOWN: {
    message: 'there is no token {id}',
    mend: '`parley tokens list` shows the ids.',
  },
  PARLEY_ERR_HTTP_FORBIDDEN: {
    message: 'calls are controlled from this machine only while no token is set',
    mend: 'Set http.token or make a token with `parley tokens create`, and send it as Authorization: Bearer.',
  },
  PARLEY_ERR_SIP_START: {
    message: 'SIP could not be started: {reason}',
    mend: 'Check sip.host and sip.port (is another server on that port?), or sip.drachtio.* when a drachtio-server is used.',
  },
  PARLEY_ERR_SIP_LOST: {
    message: 'SIP is not connected: {reason}',
    mend: 'Check that the drachtio-server runs (sip.drachtio.*). The embedded edge is started again by itself; calls go on meanwhile.',
    sip: 503,
  },
  PARLEY_ERR_OVERLOAD: {
    message: 'new calls are refused: {reason}',
    mend: 'Calls that are up go on. Add nodes, workers (rtp.workers, speech.workers) or processors; limits.load holds the limits, docs/guides/production.md says what one machine carries.',
    sip: 503,
  },
  PARLEY_ERR_TARGET_UNKNOWN: {
    message: 'there is no target "{target}" to hand calls to',
    mend: 'Add it to targets of parley.yaml, or correct the name: nothing else is ever dialled.',
  },
  PARLEY_ERR_PARTICIPANT_UNKNOWN: {
    message: 'nobody takes part in the call as "{participant}"',
    mend: 'GET /v1/calls has the participants of each call; who has hung up is no longer among them.',
  },
  PARLEY_ERR_AGENT_NOT_GUIDED: {
    message: 'this agent can make nothing of that',
    mend: 'A builtin agent takes facts for its variables and slots ("orderNumber: 482715; tier: gold"), an llm agent any words; say puts words into the mouth of either.',
  },
  PARLEY_ERR_SESSION_REFUSED: {
    message: 'the other side refused {change}: {status} {reason}',
    mend: 'The call goes on as it was. Whether a peer lets itself be put on hold or takes keys by INFO is its own configuration.',
  },
  PARLEY_ERR_CALL_NOT_UP: {
    message: 'call {call} cannot do this: {reason}',
    mend: 'Do this between the answer and the end of the call; GET /v1/calls tells where it stands.',
  },
  PARLEY_ERR_DIGITS_INVALID: {
    message: '"{digits}" are no keys',
    mend: 'Write 0-9 * # A-D, "," for a pause of one second and "w" for half of one, at most 64 of them.',
  },
  PARLEY_ERR_SIP_TOO_LONG: {
    message: 'a SIP message of {bytes} bytes is longer than {limit}',
    mend: 'Shorten the headers, or the number of codecs, that the configuration puts into it.',
    sip: 500,
  },
  PARLEY_ERR_FILE_WRITE: {
    message: 'cannot write {file}: {reason}',
    mend: 'Check that the folder exists and may be written to.',
  },
  PARLEY_ERR_CALL_FAILED: {
    message: 'call to {uri} failed: {reason}',
    mend: '{hint}',
  },
  PARLEY_ERR_CALL_UNKNOWN: {
    message: 'no call {id} in {store}',
    mend: '{hint}',
  },
  PARLEY_ERR_EDGE_LISTEN: {
    message: 'the SIP edge cannot listen on {address}: {reason}',
    mend: 'Give an address of this machine and a port that no other program uses on UDP and TCP.',
  },
  PARLEY_ERR_EDGE_NETWORK: {
    message: '{network} is not a network',
    mend: 'Write an address or a CIDR block, e.g. 192.0.2.0/24 or 2001:db8::/32.',
  },
  PARLEY_ERR_EDGE_TLS: {
    message: 'TLS for SIP cannot use {file}: {reason}',
    mend: 'Give PEM files that may be read: a certificate with its chain, and the private key that belongs to it.',
  },
  PARLEY_ERR_EDGE_THREAD: {
    message: 'the thread of the SIP edge ended: {reason}',
    mend: 'Report this with the log lines around it.',
    sip: 503,
  },
  PARLEY_ERR_INTERNAL: {
    message: 'internal error: {reason}',
    mend: 'Report this with the log lines around it.',
    sip: 500,
  },
} as const satisfies Record<string, { message: string; mend: string; sip?: number }>;

/** A code of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** Values for the placeholders of a row, kept on the error for logs. */
export type ErrorDetails = Record<string, string | number>;

/** An error of the coded table: `code` for programs, `message` for people, `mend` for what to do about it. */
export class ParleyError extends Error {
  readonly code: ErrorCode;
  readonly mend: string;
  /** SIP status that answers a request failing for this reason, where one applies. */
  readonly sip: number | undefined;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    const row: { message: string; mend: string; sip?: number } = ERRORS[code];
    super(fill(row.message, details), options);
    this.name = 'ParleyError';
    this.code = code;
    this.mend = fill(row.mend, details);
    this.sip = row.sip;
    this.details = details;
  }
}

/** The text of anything thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? '?'));
}
