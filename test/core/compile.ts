import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

// Runs as build/js/test/core/compile.js.
export const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** What the compiler makes, as bytes and as text for people. */
export interface Compiled {
  bytes: Uint8Array<ArrayBuffer>;
  text: string;
}

/** Compiles `entry`, a file below the root or one of `sources`, with the flags that the modules have and `flags`. */
export async function compile(entry: string, flags: readonly string[], sources: Readonly<Record<string, string>> = {}): Promise<Compiled> {
  const made = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main(
    [entry, '--config', 'asconfig.json', '--baseDir', root, '--outFile', 'out.wasm', '--textFile', 'out.wat', ...flags],
    {
      readFile(name: string, base: string) {
        try {
          return sources[name] ?? readFileSync(`${base}/${name}`, 'utf8');
        } catch {
          return null; // the compiler tries several places
        }
      },
      writeFile: (name: string, contents: string | Uint8Array) => void made.set(name, contents),
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${entry} does not compile:\n${stderr}`);
  return { bytes: Uint8Array.from(made.get('out.wasm') as Uint8Array), text: String(made.get('out.wat')) };
}

const boards = new Map<boolean, Promise<WebAssembly.Module>>();

/** The client module with the limits of a board: what the sensor does with packets, with the client's view of them. Compiled once. */
export function boardClient({ journal = false } = {}): Promise<WebAssembly.Module> {
  const uses = ['MQTT', 'CLIENT', ...(journal ? ['JOURNAL'] : [])].flatMap((name) => ['--use', `${name}=1`]);
  const compiled =
    boards.get(journal) ??
    compile('assembly/apps/client.ts', [...uses, '--initialMemory', '18', '--maximumMemory', '18']).then(
      ({ bytes }) => new WebAssembly.Module(bytes),
    );
  boards.set(journal, compiled);
  return compiled;
}
