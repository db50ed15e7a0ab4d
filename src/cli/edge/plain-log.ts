import { pino } from 'pino';
import type { Logger, LogLevel } from '../../telemetry/log.js';

/** Written at the front of every line, or of no use to a person. */
const ELSEWHERE = new Set(['level', 'time', 'msg', 'thread']);

/** A logger whose lines are for people: time, level, text, then what else there is to know. On standard error. */
export function plainLogger(level: LogLevel): Logger {
  const write = (line: string) => void process.stderr.write(`${plainLine(line)}\n`);
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write });
}

function plainLine(json: string): string {
  const entry: unknown = JSON.parse(json);
  if (typeof entry !== 'object' || entry === null) return json.trimEnd();
  const fields = new Map<string, unknown>(Object.entries(entry));
  const level = pino.levels.labels[Number(fields.get('level'))] ?? '';
  const rest = [...fields].filter(([key]) => !ELSEWHERE.has(key)).map(([key, value]) => `${key}=${plainValue(value)}`);
  return [fields.get('time'), level.padEnd(5), fields.get('msg'), ...rest].join(' ');
}

function plainValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"]+$/.test(text) ? text : JSON.stringify(value);
}
