import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { moduleFile, type Project, ProjectFault, type ProjectProtocol, SENSOR_FILE } from './project.js';

// Compiles a project's sensor into a module: the node app of assembly/, with assembly/drivers/own.ts in front of the project's index.ts. The compiler
// sees the project's folder as its root, and this package in node_modules/twobyte, wherever it is.

/** The root of this package; this file runs as build/js/host/build/build.js. */
const packageRoot = fileURLToPath(new URL('../../../../', import.meta.url));

/** Bytes that a sensor of one's own may add to the budget of the app. */
const OWN_BYTES = 4096;

/** The app for each protocol (compiler/modules.js). */
const apps: Readonly<Record<ProjectProtocol, string>> = { mqtt: 'node-mqtt', 'mqtt-sn': 'node-mqttsn', both: 'node' };

const OWN = '~lib/twobyte/assembly/drivers/own.ts';
const CONTRACT = 'it has to export begin(now: i32): i32 and finish(): i32; docs/own-sensor.md tells what they do';

/** In place of assembly/drivers/own.ts: what does not fit the sensor's two functions is said of this file alone. */
const binding = `import * as sensor from '../../../../${SENSOR_FILE.replace(/\.ts$/, '')}';
export function begin(now: i32): i32 {
  return sensor.begin(now);
}
export function finish(): i32 {
  return sensor.finish();
}
`;

/** A file that is no file: its exports are those of the app. */
const ENTRY = 'twobyte-module.ts';

/** What compiler/modules.js and compiler/inspect.js give, which are JavaScript. */
interface ModuleOptions {
  name: string;
  entry: string;
  flags: string[];
  pages: number;
  budget: number;
}
interface Diagnostic {
  message: string;
  /** 3 is an error, 2 a warning; below, remarks. */
  category: number;
  range: { start: number; source: { normalizedPath: string } | null } | null;
}
interface Compiler {
  modules: readonly ModuleOptions[];
  CompileError: new (message: string) => Error;
  compile(
    module: ModuleOptions,
    root: string,
    sources: { readFile(name: string): string | null; reportDiagnostic(diagnostic: Diagnostic): void },
  ): Promise<{ bytes: Uint8Array; text: string }>;
}
interface Inspection {
  moduleFaults(bytes: Uint8Array, text: string, budget: number): string[];
}

const WARNING = 2;
const ERROR = 3;

/** What came of a build. */
export interface Built {
  /** Absolute path of the module. */
  file: string;
  bytes: number;
  /** Most bytes it may have. */
  budget: number;
  /** Of the compiler, each a line with file, line and column. */
  warnings: string[];
}

/**
 * Compiles the project into build/NAME.wasm. Throws a ProjectFault whose message has a line for each fault, with file:line:column where the compiler
 * knows them; then there is no module, nor one of an earlier build.
 */
export async function buildProject(project: Project): Promise<Built> {
  const file = moduleFile(project);
  rmSync(file, { force: true }); // so that nothing runs or deploys one that is refused
  const sensor = join(project.directory, SENSOR_FILE);
  if (!existsSync(sensor)) throw new ProjectFault(`${sensor} is missing: the project's sensor is written there; ${CONTRACT}`);
  const [{ modules, compile, CompileError }, { moduleFaults }] = await Promise.all([
    fromCompiler<Compiler>('modules.js'),
    fromCompiler<Inspection>('inspect.js'),
  ]);
  const app = modules.find(({ name }) => name === apps[project.protocol]);
  if (!app) throw new ProjectFault(`this package has no app '${apps[project.protocol]}' to build a sensor into: install it anew`);

  const sources = sourcesOf(project.directory, app.entry);
  const found: Diagnostic[] = [];
  const told = (least: number) => [
    ...new Set(found.filter(({ category }) => category >= least && category <= ERROR).map((each) => sources.told(each))),
  ];
  let made: { bytes: Uint8Array; text: string };
  try {
    made = await compile({ ...app, name: project.name, entry: ENTRY }, project.directory, {
      readFile: (name) => sources.read(name),
      reportDiagnostic: (diagnostic) => found.push(diagnostic),
    });
  } catch (error) {
    if (error instanceof CompileError && told(ERROR).length > 0) throw new ProjectFault(told(ERROR).join('\n'));
    throw error;
  }
  const budget = app.budget + OWN_BYTES;
  const faults = moduleFaults(made.bytes, made.text, budget);
  if (faults.length > 0) throw new ProjectFault(faults.map((fault) => `${SENSOR_FILE}: the module is refused: ${fault}`).join('\n'));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, made.bytes);
  return { file, bytes: made.bytes.length, budget, warnings: told(WARNING) };
}

async function fromCompiler<T>(name: string): Promise<T> {
  try {
    return (await import(new URL(`../../../../compiler/${name}`, import.meta.url).href)) as T;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !/'assemblyscript'/.test(message)) throw error;
    // Who only talks to brokers needs no compiler of 100 MB.
    throw new ProjectFault(
      'twobyte build needs the compiler assemblyscript, which is not installed: npm install --save-dev assemblyscript',
    );
  }
}

/** What the compiler may read, and how its findings are told. */
function sourcesOf(directory: string, app: string) {
  const texts = new Map<string, string>([
    [ENTRY, `export * from 'twobyte/${app.replace(/\.ts$/, '')}';\n`],
    ['node_modules/twobyte/assembly/drivers/own.ts', binding],
  ]);
  const read = (name: string): string | null => {
    const known = texts.get(name);
    if (known !== undefined) return known;
    const ours = name === 'asconfig.json' ? name : /^node_modules\/twobyte\/(assembly\/.+\.ts)$/.exec(name)?.[1];
    try {
      const text = readFileSync(ours === undefined ? join(directory, name) : join(packageRoot, ours), 'utf8');
      texts.set(name, text);
      return text;
    } catch {
      return null; // the compiler tries several places
    }
  };
  const told = ({ message: words, range }: Diagnostic): string => {
    if (/^Module requires at least/.test(words))
      return `${SENSOR_FILE}: the static memory of the module is over its 64 KB: ask memory.data for less`;
    const message = words.replaceAll('~lib/', '');
    const path = range?.source?.normalizedPath;
    if (!range || path === undefined) return `${SENSOR_FILE}: ${message}`;
    if (path === OWN) return `${SENSOR_FILE}: ${message} ${CONTRACT[0]?.toUpperCase()}${CONTRACT.slice(1)}.`;
    const before = (texts.get(path.replace(/^~lib\//, 'node_modules/')) ?? '').slice(0, range.start).split('\n');
    return `${path}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: ${message}`;
  };
  return { read, told };
}
