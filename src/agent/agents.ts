import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigProblems, collectProblems } from '../config/problems.js';
import { versionOf } from '../config/version.js';
import { checkLocated, type LoadedYaml, loadYamlLocated } from '../config/yaml.js';
import { ParleyError, reasonOf } from '../errors.js';
import type { ActionFunctions } from './actions/local.js';
import { type AgentFile, type AgentFileInput, agentFile } from './file/schema.js';
import { type Chunk, chunkArticle } from './knowledge/articles.js';

/** An agent file with what it refers to. */
export type AgentDefinition = AgentFile & {
  /** The agent file. */
  file: string;
  /** Folder that paths in the file are relative to. */
  directory: string;
  /** The knowledge articles, cut into chunks. */
  chunks: readonly Chunk[];
  /** Of the content of all its files. */
  version: string;
  /** The agent file, its articles, and the modules of its actions. */
  sources: readonly string[];
  /** What its actions of type `function` call. */
  functions?: ActionFunctions | undefined;
};

/** Where agents come from: a folder of agent files; or files, and what would stand in one as an object. */
export type AgentSources = string | readonly (string | AgentFileInput)[];

/**
 * Reads `*.yaml` of a folder, each an agent, with its knowledge articles. Paths in an agent that is an object are relative
 * to the working directory.
 *
 * @param functions of the program, for actions of type `function`; when given, none of them may be missing
 * @returns the agents by name
 * @throws ConfigProblems with the problems of all files
 */
export function loadAgents(sources: AgentSources, functions?: ActionFunctions): Map<string, AgentDefinition> {
  const agents = new Map<string, AgentDefinition>();
  const each = typeof sources === 'string' ? agentFiles(sources) : sources;
  collectProblems(
    each.map((source, index) => () => {
      const inProgram = `agents[${index}]`;
      const [file, loaded] =
        typeof source === 'string'
          ? [source, loadYamlLocated(source, agentFile)]
          : [inProgram, checkLocated(source, inProgram, agentFile)];
      const agent = loaded.value;
      const other = agents.get(agent.name);
      if (other) {
        const reason = `"${agent.name}" is already the agent of ${other.file}`;
        throw new ConfigProblems([loaded.problemAt(['name'], reason, 'Give each agent its own name.')]);
      }
      agents.set(agent.name, complete(file, loaded, functions));
    }),
  );
  return agents;
}

function agentFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(directory, name));
  } catch (error) {
    throw new ConfigProblems([new ParleyError('PARLEY_ERR_CONFIG_FILE', { file: directory, reason: reasonOf(error) })]);
  }
}

function complete(
  file: string,
  { value: agent, text, problemAt }: LoadedYaml<AgentFile>,
  functions: ActionFunctions | undefined,
): AgentDefinition {
  const directory = dirname(file);
  const problems: ParleyError[] = [];
  const articles = new Map<string, Chunk[]>();
  const contents = new Map([[file, text]]);
  agent.knowledge.forEach((pattern, index) => {
    const found = filesMatching(directory, pattern);
    if (found.length === 0) {
      const hint = 'Paths are relative to the agent file; "*" stands for any part of a file name.';
      problems.push(problemAt(['knowledge', index], `no file matches "${pattern}"`, hint));
    }
    for (const path of found) {
      const name = basename(path).replace(/\.[^.]*$/, '');
      const article = readFileSync(path, 'utf8');
      articles.set(name, chunkArticle(name, article));
      contents.set(path, article);
    }
  });
  agent.actions.forEach((action, index) => {
    if (action.type === 'function' && functions && !Object.hasOwn(functions, action.name)) {
      const hint = 'The program that runs Parley gives it: createParley({ actions: { NAME: (parameters) => ... } }).';
      problems.push(problemAt(['actions', index], `there is no function "${action.name}"`, hint));
    }
    if (action.type !== 'local') return;
    const path = resolve(directory, action.module);
    if (isFile(path)) {
      contents.set(path, readFileSync(path, 'utf8'));
      return;
    }
    const hint = 'Paths are relative to the agent file.';
    problems.push(problemAt(['actions', index, 'module'], `there is no file "${action.module}"`, hint));
  });
  agent.topics.forEach((topic, index) => {
    if (topic.knowledge === true && articles.size === 0) {
      const hint = 'List Markdown files under "knowledge:" of the agent.';
      problems.push(problemAt(['topics', index, 'knowledge'], 'the agent has no knowledge articles', hint));
    }
    if (typeof topic.knowledge === 'boolean') return;
    topic.knowledge.forEach((name, at) => {
      if (articles.has(name)) return;
      const hint = `Articles of this agent: ${[...articles.keys()].join(', ') || 'none'}.`;
      problems.push(problemAt(['topics', index, 'knowledge', at], `there is no article "${name}"`, hint));
    });
  });
  if (problems.length > 0) throw new ConfigProblems(problems);
  const version = versionOf(...[...contents].flatMap(([path, content]) => [basename(path), content]));
  const chunks = [...articles.values()].flat();
  const sources = [...contents.keys()].filter(isFile);
  return { ...agent, file, directory, chunks, functions, version, sources };
}

/** Files for a path whose last part may hold `*`. */
function filesMatching(directory: string, pattern: string): string[] {
  const path = resolve(directory, pattern);
  if (!basename(path).includes('*')) return isFile(path) ? [path] : [];
  const [head = '', ...tail] = basename(path).split('*');
  const fits = (name: string): boolean => {
    let at = head.length;
    if (!name.startsWith(head)) return false;
    for (const part of tail.slice(0, -1)) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    const end = tail.at(-1) ?? '';
    return name.length - end.length >= at && name.endsWith(end);
  };
  try {
    return readdirSync(dirname(path))
      .filter(fits)
      .sort()
      .map((name) => join(dirname(path), name));
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
