// Texts "${NAME}" of a configuration: from the environment, or from a file that only its owner can read.

import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readJson } from './board.js';
import { ConfigFault, type Faults, type Path, pathText } from './faults.js';
import type { Json } from './json.js';

/** Where a configuration's own words end and secrets begin. */
export interface Revealed {
  /** Paths, as pathText has them, of values that came from elsewhere and must not be shown. */
  readonly secret: ReadonlySet<string>;
  /** Paths of values that name what is nowhere; they were told. */
  readonly missing: readonly Path[];
  readonly warnings: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where names stand that sentences repeat, and that are no secrets wherever they come from. */
const open: ReadonlySet<string> = new Set(['board', 'module', 'broker.authority', 'broker.certificate', 'broker.key', 'updates.publicKey']);

const DEFAULT_FILE = 'twobyte.secrets.json';

/** Puts secrets in the place of "${NAME}", in all texts of `value`, which is the configuration `file`. */
export function revealSecrets(value: Json, file: string, environment: Environment, faults: Faults): Revealed {
  const secret = new Set<string>();
  const missing: Path[] = [];
  let known: Secrets | undefined;
  try {
    known = secretsFile(value, file);
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    faults.addAll(error.faults);
  }
  const reveal = (each: Json, at: Path): Json => {
    if (Array.isArray(each)) return each.map((element, index) => reveal(element, [...at, index]));
    if (typeof each === 'object' && each !== null) {
      for (const [key, inner] of Object.entries(each)) each[key] = reveal(inner, [...at, key]);
      return each;
    }
    if (typeof each !== 'string' || !each.includes('${') || at[0] === 'secrets' || at[0] === '$schema') return each;
    if (!open.has(pathText(at))) secret.add(pathText(at));
    return each.replace(/\$\{([^}]*)\}/g, (written: string, name: string) => {
      const text = (Object.hasOwn(environment, name) ? environment[name] : undefined) ?? known?.texts.get(name);
      if (text !== undefined) return text;
      missing.push(at);
      // Where the file is at fault, it is not known what it lacks.
      if (known) faults.add(at, `${written} is neither in the environment nor in ${known.path}; set the variable, or add it to the file`);
      return written;
    });
  };
  reveal(value, []);
  return { secret, missing, warnings: known?.warnings ?? [] };
}

interface Secrets {
  readonly path: string;
  readonly texts: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/** The file of secrets beside the configuration. It may be absent, unless the configuration names it. */
function secretsFile(value: Json, file: string): Secrets {
  const named = typeof value === 'object' && value !== null && !Array.isArray(value) ? value.secrets : undefined;
  const path = join(dirname(file), typeof named === 'string' && named ? named : DEFAULT_FILE);
  if (named === undefined && !existsSync(path)) return { path, texts: new Map(), warnings: [] };
  const content = readJson(path, path);
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new ConfigFault([`${path}: is no object; write { "NAME": "text", … }`]);
  const wrong = Object.entries(content).filter(([, text]) => typeof text !== 'string');
  if (wrong.length) throw new ConfigFault(wrong.map(([name]) => `${path}: ${pathText([name])}: is no text; put it into double quotes`));
  const isOpen = process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
  return {
    path,
    texts: new Map(Object.entries(content as Record<string, string>)),
    warnings: isOpen ? [`${path}: other users of this machine can read it; run chmod 600 ${path}`] : [],
  };
}
